#!/usr/bin/env bash
# How does a commit become images under names, and a version of praxis that can be downloaded?
#
# Images are built once, from main. A version only gives another name to what was built and tried from its commit.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/deploy.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/deploy.sh"
cd "$root_dir"

usage() {
  cat <<'USAGE'
usage: release.sh build PLATFORM DIR      build the images for linux/PLATFORM (amd64, arm64), push them without a name, note digests in DIR
       release.sh publish DIR             join what DIR notes under sha-<commit> and the branch, sign it, write DIR/release.json
       release.sh describe TAG DIR        write DIR/release.json for images that are there as TAG (vX.Y.Z or sha-<commit>)
       release.sh verify release.json     fail unless main's release built and signed each image of it from its commit
       release.sh promote vX.Y.Z DIR      name the images of this commit vX.Y.Z; write DIR/release.json
       release.sh archive vX.Y.Z ARCH DIR pack praxis (from its image; ARCH amd64 or arm64), its systemd unit and papers into DIR

PRAXIS_REGISTRY names the registry (123456789012.dkr.ecr.ap-south-1.amazonaws.com); `docker` must be logged in to it.
PRAXIS_SIGNER names who must have signed, for all but build and archive; `describe` and `promote` refuse what verify refuses:
https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/heads/main
PRAXIS_BRANCH names the branch for `publish` (main). release.json is {commit, tag, fingerprint, images: {program: digest}}.
USAGE
}

programs=(command-api query-api projector praxis)
platforms=(amd64 arm64)

image() { echo "$PRAXIS_REGISTRY/praxis/$1"; }
sha_tag() { echo "sha-$(git rev-parse --short=12 HEAD)"; }
platform_known() { [[ " ${platforms[*]} " == *" $1 "* ]] || die "unknown platform '$1': one of ${platforms[*]}"; }

# The version that the programs say of themselves.
declared_version() { sed -nE '/^\[workspace\.package\]/,/^\[[^w]/ s/^version = "(.*)"$/\1/p' Cargo.toml | head -n 1; }

version_known() {
  [[ $1 =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || die "'$1' is no version: vX.Y.Z"
  [ "$1" = "v$(declared_version)" ] || die "the tag is $1, but Cargo.toml says $(declared_version): they must agree"
}

digest_of() { # digest_of IMAGE:TAG
  docker buildx imagetools inspect "$1" --format '{{json .Manifest}}' | jq -er .digest ||
    die "there is no image $1"
}

build() {
  local platform=$1 dir=$2 program
  platform_known "$platform"
  mkdir -p "$dir"
  for program in "${programs[@]}"; do
    docker buildx build . -f docker/Dockerfile --platform "linux/$platform" \
      --build-arg "BIN=$program" --build-arg "PRAXIS_CI_COMMIT=$(git rev-parse --short=12 HEAD)" \
      --label "org.opencontainers.image.revision=$(git rev-parse --verify HEAD)" \
      --label "org.opencontainers.image.version=$(declared_version)" \
      --sbom=true --provenance=mode=max --metadata-file "$dir/metadata.json" \
      --output "type=image,name=$(image "$program"),push-by-digest=true,name-canonical=true,push=true"
    jq -er '."containerimage.digest"' "$dir/metadata.json" >"$dir/$program-$platform.digest"
  done
  rm "$dir/metadata.json"
}

# signed IMAGE@DIGEST COMMIT: did main's release make this from that commit? Its signature says who signed, in which run of
# which workflow, as GitHub told Sigstore; and the digest that is signed covers what BuildKit noted of each platform.
signed() {
  local image=$1 commit=$2
  : "${PRAXIS_SIGNER:?nobody to trust is named: set PRAXIS_SIGNER}"
  cosign verify "$image" --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "$PRAXIS_SIGNER" --certificate-github-workflow-sha "$commit" >/dev/null ||
    die "$image is not signed by $PRAXIS_SIGNER for commit $commit"
  docker buildx imagetools inspect "$image" --format '{{json .Provenance}}' | jq -e --arg commit "$commit" \
    '. as $of | $ARGS.positional | all($of["linux/\(.)"] | [.. | strings] | any(. == $commit))' --args "${platforms[@]}" >/dev/null ||
    die "$image has no provenance that names commit $commit for each of ${platforms[*]}"
}

verify() {
  local release=$1 program commit digest
  commit=$(jq -er '.commit | select(test("^[0-9a-f]{40}$"))' "$release") || die "$release does not say which commit"
  for program in "${programs[@]}"; do
    digest=$(jq -er --arg program "$program" '.images[$program] | select(test("^sha256:[0-9a-f]{64}$"))' "$release") ||
      die "$release does not say which $program"
    signed "$(image "$program")@$digest" "$commit"
  done
  say "all of $(jq -r .tag "$release") is of commit $commit, signed by main's release"
}

# describe_as TAG DIR: what stands in the registry under a tag
describe_as() {
  local tag=$1 dir=$2 program digest projector commit fingerprint images='{}'
  for program in "${programs[@]}"; do
    digest=$(digest_of "$(image "$program"):$tag")
    images=$(jq -c --arg program "$program" --arg digest "$digest" '.[$program] = $digest' <<<"$images")
  done
  projector=$(image projector)@$(jq -r .projector <<<"$images")
  docker pull --quiet "$projector" >/dev/null
  commit=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$projector")
  mkdir -p "$dir"
  jq -n --arg commit "$commit" --arg tag "$tag" --argjson images "$images" '{$commit, $tag, $images}' >"$dir/unverified.json"
  # Before anything of it is run.
  verify "$dir/unverified.json"
  fingerprint=$(docker run --rm --network none "$projector" fingerprint)
  [[ $fingerprint =~ ^[0-9a-f]{16}$ ]] || die "projector fingerprint said '$fingerprint', which is no fingerprint"
  jq --arg fingerprint "$fingerprint" '{commit, tag, $fingerprint, images}' "$dir/unverified.json" >"$dir/release.json"
  rm "$dir/unverified.json"
  cat "$dir/release.json"
}

publish() {
  local dir=$1 program platform digest digests branch=${PRAXIS_BRANCH:-main} tag
  tag=$(sha_tag)
  for program in "${programs[@]}"; do
    digests=()
    for platform in "${platforms[@]}"; do
      [ -s "$dir/$program-$platform.digest" ] || die "$program was not built for $platform: $dir has no digest of it"
      digests+=("$(image "$program")@$(cat "$dir/$program-$platform.digest")")
    done
    # A commit's name is given once and cannot be moved: run again, what is there is what counts.
    docker buildx imagetools inspect "$(image "$program"):$tag" >/dev/null 2>&1 ||
      docker buildx imagetools create -t "$(image "$program"):$tag" "${digests[@]}"
    # Signed before the name that people follow points to it.
    digest=$(digest_of "$(image "$program"):$tag")
    cosign sign --yes "$(image "$program")@$digest"
    docker buildx imagetools create -t "$(image "$program"):${branch//\//-}" "$(image "$program"):$tag"
  done
  describe_as "$tag" "$dir"
}

promote() {
  local version=$1 dir=$2 program digest
  version_known "$version"
  for program in "${programs[@]}"; do
    digest=$(digest_of "$(image "$program"):$(sha_tag)") ||
      die "the images of this commit are not there yet: let the release of main end first"
    docker buildx imagetools create -t "$(image "$program"):$version" "$(image "$program")@$digest"
  done
  describe_as "$version" "$dir"
}

archive() {
  local version=$1 platform=$2 dir=$3 name container
  version_known "$version"
  platform_known "$platform"
  name=praxis-$version-linux-$platform
  mkdir -p "$dir/$name"
  container=$(docker create --platform "linux/$platform" "$(image praxis):$version")
  docker cp "$container:/usr/local/bin/praxis" "$dir/$name/praxis" || { docker rm "$container" >/dev/null; die "$version has no praxis"; }
  docker rm "$container" >/dev/null
  cp packaging/praxis.service packaging/praxis.env packaging/install.sh LICENSE CHANGELOG.md \
    docs/how-to/operate-a-small-practice.md docs/configuration.md "$dir/$name/"
  # The same commit gives the same bytes: times, owners and rights are the commit's, not the machine's.
  tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$(git log -1 --format=%ct)" \
    -cf - "$name" | gzip -n >"$dir/$name.tar.gz"
  rm -r "${dir:?}/$name"
  (cd "$dir" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
}

case ${1:-} in -h | --help) usage; exit 0 ;; esac
# Here, and not only in `image`: a refusal within the words of another command would be lost.
: "${PRAXIS_REGISTRY:?the registry is not named: set PRAXIS_REGISTRY}"
case "${1:-}/$#" in
  build/3) build "$2" "$3" ;;
  publish/2) publish "$2" ;;
  verify/2) verify "$2" ;;
  describe/3) describe_as "$2" "$3" ;;
  promote/3) promote "$2" "$3" ;;
  archive/4) archive "$2" "$3" "$4" ;;
  *) wrong "what to do?" ;;
esac
