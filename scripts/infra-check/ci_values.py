"""Writes helm/<chart>/ci/<release>-values.yaml: all values of a release in one file, which is what chart tools render.

A release is made of several files (values-<component>.yaml, values-<environment>.yaml, and its own). What a tool that
takes only one file checks must be the same, so it is merged here as Helm merges: ci/releases/<component>-<environment>
[-<variant>].yaml on top. `--check` writes nothing and fails when a file is stale; `--sources` names the files of one
release, for `helm -f`.

Usage: ci_values.py [--check] [PROJECT]
       ci_values.py --sources RELEASE
"""

import pathlib
import sys

import yaml


def merged(below, above):
    """Maps are merged, null removes, everything else replaces: Helm's rule."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def sources(release):
    """The files of a release, the later one wins."""
    chart, words = release.parents[2], release.stem.split("-")
    environment = next((word for word in words if word in ("dev", "stage", "prod")), None)
    if environment is None:
        sys.exit(f"{release}: its name says no environment")
    component = "-".join(words[: words.index(environment)])
    files = [chart / f"values-{component}.yaml", chart / f"values-{environment}.yaml"]
    return [file for file in files if file.exists()] + [release]


def main():
    if sys.argv[1:2] == ["--sources"]:
        print(*sources(pathlib.Path(sys.argv[2])), sep="\n")
        return
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    check = len(arguments) < len(sys.argv) - 1
    project = pathlib.Path(arguments[0] if arguments else ".")
    stale, expected = [], set()
    for release in sorted(project.glob("helm/*/ci/releases/*.yaml")):
        files = sources(release)
        values = {}
        for file in files:
            values = merged(values, yaml.safe_load(file.read_text()) or {})
        names = ", ".join(file.relative_to(release.parents[2]).as_posix() for file in files)
        text = f"# Made by scripts/infra-check/ci_values.py of {names}.\n" + yaml.safe_dump(values, width=120)
        target = release.parents[1] / f"{release.stem}-values.yaml"
        expected.add(target)
        if not target.exists() or target.read_text() != text:
            stale.append(target)
            if not check:
                target.write_text(text)
    charts = {target.parent for target in expected}
    leftover = [file for folder in charts for file in folder.glob("*-values.yaml") if file not in expected]
    for file in stale:
        print(
            f"{file.relative_to(project)}: {'is stale; run scripts/infra-check/ci_values.py' if check else 'written'}"
        )
    for file in leftover:
        print(f"{file.relative_to(project)}: no release in {file.parent.name}/releases makes it")
    sys.exit(bool(leftover or (check and stale)))


main()
