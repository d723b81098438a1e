# shellcheck shell=bash
# A real control plane on the loopback address: etcd, API server, controllers and scheduler of Kubernetes, and kwok in place
# of kubelets. Sourced by check.sh, which has $tools (programs) and $out (a directory that goes with it).
# shellcheck disable=SC2154

processes=()

# launch NAME PROGRAM [FLAG…]: it ends with this shell, however that ends
launch() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" >"$out/$name.log" 2>&1 </dev/null &
  processes+=($!)
}

# end_control_plane: controllers first, etcd last.
end_control_plane() {
  local i
  for ((i = ${#processes[@]} - 1; i >= 0; i--)); do
    kill "${processes[i]}" 2>/dev/null || true
    wait "${processes[i]}" 2>/dev/null || true
  done
  processes=()
}

# kubeconfig FILE CLUSTER TOKEN [GROUP]: with GROUP whoever has the token acts as somebody who is only in GROUP.
kubeconfig() {
  local file=$1 cluster=$2 token=$3 as=''
  [ $# -lt 4 ] || as=", as: somebody, as-groups: ['$4', 'system:authenticated']"
  cat >"$file" <<CONFIG
apiVersion: v1
kind: Config
clusters: [{name: $cluster, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: $state/certificates/apiserver.crt}}]
users: [{name: user, user: {token: $token$as}}]
contexts: [{name: $cluster, context: {cluster: $cluster, user: user}}]
current-context: $cluster
CONFIG
}

# start_control_plane CLUSTER: afterwards kubectl speaks to it, as its administrator.
start_control_plane() {
  local stages=("$tools"/stages/*.yaml) cluster=$1 etcd_port peer_port controllers scheduler kwok
  state=$out/$cluster
  mkdir -p "$state/certificates"
  etcd_port=$(free_port)
  peer_port=$(free_port)
  api_port=$(free_port)
  administrator=$(openssl rand -hex 16) controllers=$(openssl rand -hex 16) scheduler=$(openssl rand -hex 16) kwok=$(openssl rand -hex 16)
  openssl genrsa -out "$state/accounts.key" 2048 2>/dev/null
  (
    umask 077
    cat >"$state/tokens.csv" <<TOKENS
$administrator,administrator,administrator,system:masters
$controllers,system:kube-controller-manager,controllers
$scheduler,system:kube-scheduler,scheduler
$kwok,kwok,kwok,system:masters
TOKENS
  )

  launch etcd "$tools/bin/etcd" --data-dir "$state/etcd" --unsafe-no-fsync --logger zap --log-level error \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "default=http://127.0.0.1:$peer_port"
  # What admission EKS has besides these is its own: defaults, with Pod Security among them.
  launch apiserver "$tools/bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" \
    --bind-address 127.0.0.1 --secure-port "$api_port" --advertise-address 127.0.0.1 --endpoint-reconciler-type none \
    --cert-dir "$state/certificates" --token-auth-file "$state/tokens.csv" --anonymous-auth=false \
    --authorization-mode Node,RBAC --allow-privileged=true --service-cluster-ip-range 10.96.0.0/16 \
    --service-account-issuer https://praxis.invalid --service-account-key-file "$state/accounts.key" \
    --service-account-signing-key-file "$state/accounts.key"
  export KUBECONFIG=$state/admin.kubeconfig
  wait_until 60 "${processes[-1]}" test -s "$state/certificates/apiserver.crt" || return 1
  kubeconfig "$KUBECONFIG" "$cluster" "$administrator"
  wait_until 90 "${processes[-1]}" kubectl get --raw /readyz >/dev/null 2>&1 || return 1

  kubeconfig "$state/controllers.kubeconfig" "$cluster" "$controllers"
  launch controllers "$tools/bin/kube-controller-manager" --kubeconfig "$state/controllers.kubeconfig" --secure-port 0 \
    --leader-elect=false --root-ca-file "$state/certificates/apiserver.crt" \
    --service-account-private-key-file "$state/accounts.key" --use-service-account-credentials
  kubeconfig "$state/scheduler.kubeconfig" "$cluster" "$scheduler"
  launch scheduler "$tools/bin/kube-scheduler" --kubeconfig "$state/scheduler.kubeconfig" --secure-port 0 --leader-elect=false
  kubeconfig "$state/kwok.kubeconfig" "$cluster" "$kwok"
  launch kwok "$tools/bin/kwok" --kubeconfig "$state/kwok.kubeconfig" --manage-all-nodes --node-lease-duration-seconds 40 \
    "${stages[@]/#/--config=}"
  wait_until 60 '' kubectl get serviceaccount default --namespace default >/dev/null 2>&1
}
