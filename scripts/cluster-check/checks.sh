# shellcheck shell=bash
# What must be so of an environment. Sourced by check.sh, which has what is used here and not made here.
# shellcheck disable=SC2016,SC2154 # in single quotes are the variables of jq

# What External Secrets makes: a Secret with the keys that each ExternalSecret names.
secrets() {
  ours get externalsecrets -o json | jq '.items[] | {apiVersion: "v1", kind: "Secret",
    metadata: {name: .spec.target.name, namespace: "praxis"}, stringData: (.spec.data | map({key: .secretKey, value: "invented"}) | from_entries)}' |
    kubectl apply -f -
  for name in $(ours get externalsecrets -o name); do
    ours patch "$name" --subresource=status --type=merge -p '{"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced"}]}}' || return 1
  done
}

rolled_out() {
  local workload
  for workload in $(ours get deployments,statefulsets -o name); do
    ours rollout status "$workload" --timeout=120s || return 1
  done
}

migrated() { ours wait --for=condition=complete --timeout=60s job -l app.kubernetes.io/name=migrate; }

check_manifests() {
  local file name
  check "Argo CD's own kinds are taken" taken "$out/$env/git/argocd.yaml"
  check "they are as Git says" same "$out/$env/git/argocd.yaml"
  for file in "$out/$env"/git/[0-9]*.yaml; do
    [ -s "$file" ] || continue
    check "$(basename "$file" .yaml) is taken" taken "$file"
    case $file in *-platform.yaml) check "secrets are there" secrets ;; esac
  done
  check "migrations end" migrated
  check "everything rolls out" rolled_out
  for name in command-api query-api; do
    check "the HPA has $name run as many as it says" within 60 scaled $name
  done
  check "these are there too" rolled_out
  for file in "$out/$env"/git/[0-9]*.yaml; do
    [ -s "$file" ] || continue
    # After the controllers had their say.
    check "$(basename "$file" .yaml) is as Git says" same "$file"
  done
  for file in "$out/$env"/git/hooks/*.yaml; do check "hooks of $(basename "$file" .yaml) are taken" taken "$file"; done
  for file in "$out/$env"/git/tests/*.yaml; do
    check "helm test of $(basename "$file" .yaml) would be taken" kubectl create --dry-run=server --validate=strict -f "$file"
  done
}


next() { echo "$out/$env"/next/[0-9]*-"$1".yaml; }
field() { ours get "$1" -o "jsonpath={$2}"; }
all_nodes() { kubectl "$1" node-1 node-2 node-3 node-4; }
# A new pod finds no node, so the rollout stands as it would with an image that never becomes ready.
stands() { [ "$(field "deployment/$1" .status.updatedReplicas)" = 1 ] && [ -n "$(pending "$1")" ]; }
pending() { ours get pods -l "app.kubernetes.io/instance=$1" --field-selector status.phase=Pending -o name; }

check_release() {
  local api replicas old='' job
  job=$(ours get jobs -l app.kubernetes.io/name=migrate -o name)
  check "its migration is taken beside the old one" taken "$(next migrate)"
  check "its migration ends" migrated
  check "it is another Job" says 2 count jobs -l app.kubernetes.io/name=migrate
  check "a Job of the same name could not be changed" refused 'field is immutable' \
    ours patch "$job" --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "example/other:1"}]'

  check "the second generation is taken beside the first" taken "$(next projector-22222222)"
  check "the first is as it was" same "$(next projector-11111111)"
  check "both run" rolled_out

  check "no node takes a new pod" all_nodes cordon
  for api in command-api query-api; do
    replicas=$(field "deployment/$api" .spec.replicas)
    check "the release of $api is taken" taken "$(next $api)"
    check "its new pod waits" within 30 stands $api
    check "and every old one of $api serves" says "$replicas" field "deployment/$api" .status.availableReplicas
  done
  # A consumer more than asked for would move partitions twice: one pod leaves before its successor comes.
  replicas=$(field deployment/projector-22222222 .spec.replicas)
  check "the projector is restarted" ours rollout restart deployment/projector-22222222
  check "its new pod waits" within 30 stands projector-22222222
  check "and there is none too many" says "$replicas" count pods -l app.kubernetes.io/instance=projector-22222222
  check "nodes take pods again" all_nodes uncordon
  check "the release rolls out" rolled_out
  for old in "$out/$env"/next/[0-9]*.yaml; do
    [ ! -s "$old" ] || check "$(basename "$old" .yaml) is as Git says after the release" same "$old"
  done
}

scaled() { [ "$(field "deployment/$1" .spec.replicas)" = "$(field "hpa/$1" .spec.minReplicas)" ]; }
count() { ours get "$@" -o name | wc -l; }

# What scales says to the Deployment is nobody else's: Git does not name it, and a sync leaves it.
check_scaling() {
  local name most
  for name in command-api query-api; do
    most=$(field "hpa/$name" .spec.maxReplicas)
    check "$name is scaled to its most, $most" ours scale "deployment/$name" --replicas="$most"
  done
  for name in projector-11111111 projector-22222222; do
    most=$(field "scaledobject/$name" .spec.maxReplicaCount)
    check "$name is scaled to its most, $most" ours scale "deployment/$name" --replicas="$most"
  done
  # Two generations beside each other, everything at its most, and the Jobs of a sync: the quota is for that.
  check "the quota lets all of it run" rolled_out
  check "smoke Jobs fit beside it" smoke_again
  for name in command-api query-api projector-22222222; do
    check "a sync does not take back what scaled $name" same "$(next $name)"
  done
  for name in command-api query-api projector-22222222; do check "$name is spread over both zones" spread $name; done
  for name in command-api query-api projector-11111111 projector-22222222; do ours scale "deployment/$name" --replicas=2 >/dev/null; done
  check "and back" rolled_out
}

smoke_again() {
  local file
  for file in "$out/$env"/git/hooks/{command-api,query-api,projector-11111111}.yaml; do
    kubectl delete -f "$file" --ignore-not-found && kubectl apply "${argocd[@]}" -f "$file" || return 1
  done
  ours wait --for=condition=complete --timeout=60s job -l app.kubernetes.io/name=smoke
}

# spread RELEASE: the pods of two zones differ by one at most
spread() {
  local even odd
  even=$(ours get pods -l "app.kubernetes.io/instance=$1" -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | grep -c 'node-[24]')
  odd=$(ours get pods -l "app.kubernetes.io/instance=$1" -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | grep -c 'node-[13]')
  echo "$even and $odd"
  [ $((even - odd)) -ge -1 ] && [ $((even - odd)) -le 1 ] && [ "$even" -gt 0 ]
}

# evict POD: what a drain asks for
evict() {
  jq -n --arg name "${1#pod/}" '{apiVersion: "policy/v1", kind: "Eviction", metadata: {name: $name, namespace: "praxis"}}' |
    kubectl create --raw "/api/v1/namespaces/praxis/pods/${1#pod/}/eviction" -f -
}

check_disruption() {
  local name pods
  check "no node takes a new pod" all_nodes cordon
  for name in command-api query-api projector-22222222; do
    mapfile -t pods < <(ours get pods -l "app.kubernetes.io/instance=$name" -o name)
    check "one pod of $name may be evicted" evict "${pods[0]}"
    check "$name is one short" within 30 says 1 field "deployment/$name" .status.availableReplicas
    check "the next is not, until another has come" refused 'disruption budget' evict "${pods[1]}"
  done
  check "nodes take pods again" all_nodes uncordon
  check "all are back" rolled_out
  check "a node can be drained" kubectl drain node-1 --timeout=90s --delete-emptydir-data
  check "and is used again" kubectl uncordon node-1
  check "all are back after the drain" rolled_out
}

# What every account may: ask who it is and which kinds there are.
only_what_all_may() {
  local list=(kubectl auth can-i --list --namespace praxis --as)
  diff <("${list[@]}" "system:serviceaccount:praxis:$1") <("${list[@]}" system:serviceaccount:praxis:nobody)
}

# may_ask ARGUMENT…: as the account of the smoke Jobs, what one of them asks. The answer is another matter: nobody is here.
may_ask() {
  local said
  said=$(kubectl --as=system:serviceaccount:argocd:smoke "${@/--timeout=*/--timeout=1s}" 2>&1)
  printf '%s: %s\n' "$*" "$said"
  ! grep -qi forbidden <<<"$said"
}

smoke_jobs_may_ask() {
  local question arguments asked=0
  while read -r question; do
    mapfile -t arguments < <(jq -r '.[]' <<<"$question")
    may_ask "${arguments[@]}" || return 1
    asked=$((asked + 1))
  done < <(kubectl --namespace argocd get jobs -o json | jq -c '.items[].spec.template.spec.containers[].args')
  [ $asked -gt 0 ]
}

deployers_role() {
  "$infra/venv/bin/python" -c 'import sys, yaml; print(yaml.safe_dump_all(yaml.safe_load(open(sys.argv[1]))["extraObjects"]))' \
    "$project/gitops/argocd/values.yaml" | kubectl apply "${argocd[@]}" -f -
}

check_rights() {
  local account
  for account in $(ours get serviceaccounts -o 'jsonpath={.items[*].metadata.name}'); do
    check "account $account has no rights of its own" only_what_all_may "$account"
  done
  ours create rolebinding too-much --clusterrole=view --serviceaccount=praxis:migrate >/dev/null
  check "rights of an account would be seen" refused pods/log only_what_all_may migrate
  ours delete rolebinding too-much >/dev/null
  check "smoke Jobs may ask what they ask" smoke_jobs_may_ask
  check "and nothing else" refused Forbidden kubectl --as=system:serviceaccount:argocd:smoke --namespace praxis get secrets
  check "nor change anything" refused Forbidden kubectl --as=system:serviceaccount:argocd:smoke --namespace praxis delete pods --all
  check "the role of deployers is taken" deployers_role
}

invented_pod() {
  kubectl create --dry-run=server -f - <<POD
apiVersion: v1
kind: Pod
metadata: {name: invented, namespace: praxis}
spec:
  $1
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: main
      image: example/main:1
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, ${2:-}}
      resources: {${3:-}}
POD
}
changed() { sed "$2" "$(next "$1")" | kubectl apply "${argocd[@]}" --validate=strict --dry-run=server -f -; }

# Each admission that the other checks count on has something to refuse.
check_refusals() {
  check "an ordinary pod is taken" invented_pod ''
  check "a pod that is root is refused" refused 'violates PodSecurity "restricted:latest"' invented_pod '' 'runAsUser: 0'
  check "a privileged pod is refused" refused privileged invented_pod '' 'privileged: true'
  check "a pod with a folder of the node is refused" refused hostPath invented_pod 'volumes: [{name: root, hostPath: {path: /}}]'
  check "a pod above the quota is refused" refused 'exceeded quota' invented_pod '' '' 'limits: {memory: 1Ti}'
  check "a priority that is not there is refused" refused 'no PriorityClass' invented_pod 'priorityClassName: praxis-none'
  check "a word that KEDA does not know is refused" refused 'field not declared in schema' changed projector-22222222 's/minReplicaCount/minReplicas/'
  check "a value that Kubernetes does not know is refused" refused 'Unsupported value' \
    changed command-api 's/whenUnsatisfiable: .*/whenUnsatisfiable: Perhaps/'
  check "another selector of a Deployment is refused" refused 'field is immutable' \
    changed query-api 's/app.kubernetes.io\/name: query-api/app.kubernetes.io\/name: other/'
  ours set image deployment/query-api query-api=example/other:1 >/dev/null
  check "what somebody changed by hand is seen" refused example/other:1 same "$(next query-api)"
  check "and set right" taken "$(next query-api)"
}

# seen APPLICATION SYNC REVISION: what Argo CD would write about it
seen() {
  kubectl --namespace argocd patch application "$1" --type=merge -p "$(jq -n --arg sync "$2" --arg revision "$3" '{status: {
    sync: {status: $sync, revisions: [$revision], comparedTo: {source: {repoURL: ""}, destination: {}}}, health: {status: "Healthy"},
    operationState: {phase: "Succeeded", startedAt: "2026-01-01T00:00:00Z", operation: {}, syncResult: {revision: $revision, revisions: [$revision]}}}}')"
}

all_seen() {
  local application
  sed "s,gitops/clusters/dev,gitops/clusters/$env," "$project/gitops/root.yaml" | kubectl apply "${argocd[@]}" -f - || return 1
  for application in $(kubectl --namespace argocd get applications -o 'jsonpath={.items[*].metadata.name}'); do
    seen "$application" Synced "$commit" || return 1
  done
  # What the other controllers would say.
  kubectl patch clustersecretstore aws-secrets-manager --subresource=status --type=merge -p '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}' &&
    ours patch ingress command-api --subresource=status --type=merge -p '{"status": {"loadBalancer": {"ingress": [{"hostname": "lb.invalid"}]}}}' &&
    ours patch ingress query-api --subresource=status --type=merge -p '{"status": {"loadBalancer": {"ingress": [{"hostname": "lb.invalid"}]}}}'
}

# findings_of AREA…: what validate-deployment.sh finds, of these areas
findings_of() {
  "$root_dir/scripts/validate-deployment.sh" "$env" --json >"$out/findings" 2>"$out/said" || [ $? = 1 ] || return 1
  jq -er '.[] | select(.area | IN($ARGS.positional[])) | .what' "$out/findings" --args "$@" || { [ $? = 4 ] && [ ! -s "$out/said" ]; }
}
looked_at=(namespaces applications pods secrets jobs endpoints ingress)
finds() { findings_of "${looked_at[@]}" | tee /dev/stderr | grep -qF -- "$1"; }

# Started with a command, ended with the exit code that is written to its pod's status, and gone.
praxis_in_cluster() {
  local pod status=0 process
  PRAXIS_GITOPS_VALUES=$project/gitops/values "$root_dir/scripts/praxis-in-cluster.sh" "$env" -- views status &
  process=$!
  within 60 runs_praxis || return 1
  pod=$(ours get pods -l app.kubernetes.io/managed-by=praxis-in-cluster -o name)
  ours patch "$pod" --subresource=status --type=merge -p '{"status": {"phase": "Failed", "containerStatuses": [{"name": "praxis", "image": "x",
    "imageID": "x", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}}' || return 1
  wait $process || status=$?
  [ $status = 3 ] && within 30 says 0 count pods -l app.kubernetes.io/managed-by=praxis-in-cluster
}
runs_praxis() { [ -n "$(ours get pods -l app.kubernetes.io/managed-by=praxis-in-cluster --field-selector status.phase=Running -o name)" ]; }

# rollout KUBECONFIG COMMIT: whether it has arrived
rollout() { KUBECONFIG=$1 "$root_dir/scripts/wait-for-rollout.sh" "$env" "$2" --seconds 0 migrate command-api query-api; }

check_scripts() {
  local commit role=$state/deployers.kubeconfig
  commit=$(git -C "$root_dir" rev-parse HEAD)
  kubeconfig "$role" "praxis-$env" "$administrator" praxis:deployers
  check "Applications are seen as in sync" all_seen
  check "wait-for-rollout.sh sees it, with the rights of deployers" rollout "$role" "$commit"
  check "deployers may not read Secrets" refused Forbidden kubectl --kubeconfig "$role" --namespace praxis get secrets
  check "nor change Applications" refused Forbidden kubectl --kubeconfig "$role" --namespace argocd delete application query-api
  check "an Application is seen as not in sync" seen query-api OutOfSync "$commit"
  check "wait-for-rollout.sh sees that" refused 'query-api is OutOfSync' rollout "$role" "$commit"
  check "validate-deployment.sh sees that" finds 'Application query-api is OutOfSync'
  check "it is in sync again" seen query-api Synced "$commit"
  check "validate-deployment.sh finds no fault in what is here" says '' findings_of "${looked_at[@]}"

  ours delete secret praxis-jwt >/dev/null
  ours scale deployment/projector-11111111 --replicas=0 >/dev/null
  all_nodes cordon >/dev/null
  ours delete pod "$(ours get pods -l app.kubernetes.io/instance=query-api -o 'jsonpath={.items[0].metadata.name}')" >/dev/null
  ours create -f - >/dev/null <<'JOB'
apiVersion: batch/v1
kind: Job
metadata: {name: late}
spec:
  activeDeadlineSeconds: 1
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      containers: [{name: main, image: "example/main:1", securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
JOB
  check "a Job fails" ours wait --for=condition=Failed --timeout=60s job/late
  check "validate-deployment.sh finds a Secret that is gone" finds 'there is no Secret praxis-jwt'
  check "validate-deployment.sh finds a Service without pods" finds 'Service projector-11111111 has no ready pod'
  check "validate-deployment.sh finds a pod without a node" finds 'finds no node: 0/4 nodes are available'
  check "validate-deployment.sh finds a Job that failed" finds 'Job praxis/late failed: Job was active longer than specified deadline'
  ours delete job late >/dev/null
  all_nodes uncordon >/dev/null
  check "praxis-in-cluster.sh ends as praxis does, and leaves no pod" praxis_in_cluster
}

# By Helm itself, with the values of the charts' own checks, in a namespace beside; what it does not install is taken all the same.
check_charts() {
  local values release chart environment helm service=$root_dir/helm/praxis-service KUBECONFIG=$state/charts.kubeconfig
  local with=(--values "$service/ci/query-api-$env-values.yaml" --wait --timeout 90s)
  cp "$state/admin.kubeconfig" "$KUBECONFIG"
  kubectl config set-context "praxis-$env" --namespace charts >/dev/null
  kubectl create namespace charts >/dev/null
  kubectl label namespace charts pod-security.kubernetes.io/enforce=restricted >/dev/null
  for values in "$root_dir"/helm/*/ci/*-values.yaml; do
    release=$(basename "$values" -values.yaml)
    chart=$(dirname "$(dirname "$values")")
    environment=$(grep -oE 'dev|stage|prod' <<<"$release" | head -n 1)
    [ "${environment:-dev}" = "$env" ] || continue
    helm template praxis "$chart" --namespace charts --kube-version 1.35.0 --values "$values" >"$out/$env/chart.yaml"
    check "$release of $(basename "$chart") would be taken" \
      kubectl apply "${argocd[@]}" --dry-run=server --validate=strict -f "$out/$env/chart.yaml"
  done
  for helm in helm3 helm; do
    check "$helm installs a service" $helm install query "$service" "${with[@]}"
    check "$helm upgrades it" $helm upgrade query "$service" "${with[@]}" --set image.tag=v0.0.9
    check "$helm takes that back" $helm rollback query 1 --wait --timeout 90s
    check "$helm removes it" $helm uninstall query --wait --timeout 90s
  done
  check "nothing of it is left" says '' kubectl get deployments,services,configmaps,pdb,hpa,networkpolicies -o name \
    --selector app.kubernetes.io/part-of=praxis
}
