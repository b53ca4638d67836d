//! What to do about an identity token on each platform, in that platform's own words.

use keyless::Plan;

/// Where the workload runs, as far as the document says: the source that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Kubernetes,
    Aks,
    Eks,
    Azure,
    Gcp,
    Aws,
    Github,
    Spiffe,
    File,
    Variable,
    /// A source that this command does not know yet.
    Other,
}

impl Platform {
    pub(super) fn of(plan: &Plan) -> Self {
        match setting(plan, "source.type").unwrap_or_default() {
            "kubernetes" => Self::Kubernetes,
            "aks" => Self::Aks,
            "eks" => Self::Eks,
            "azure" => Self::Azure,
            "gcp" => Self::Gcp,
            "aws" => Self::Aws,
            "github" => Self::Github,
            "spiffe" => Self::Spiffe,
            "file" => Self::File,
            "variable" => Self::Variable,
            _ => Self::Other,
        }
    }

    /// Makes the platform put a token file there.
    pub(super) fn provide_file(self) -> &'static str {
        match self {
            Self::Kubernetes => {
                "give the pod a volume `projected: sources: [serviceAccountToken: {audience: ..., expirationSeconds: \
                 3600, path: token}]`, mount its directory in this container, and set `token_file_path` to the file in it"
            }
            Self::Aks => {
                "label the pod `azure.workload.identity/use: \"true\"`, annotate its service account with \
                 `azure.workload.identity/client-id`, and start the pod anew: the webhook mounts the token then"
            }
            Self::Eks => {
                "annotate the service account with `eks.amazonaws.com/role-arn`, and start the pod anew: the webhook \
                 mounts the token then"
            }
            Self::Spiffe => {
                "check that spiffe-helper runs and has `jwt_svids = [{jwt_audience=..., jwt_svid_file_name=...}]` for \
                 this path, and that the agent has an entry for this workload"
            }
            Self::Aws => {
                "check what `AWS_WEB_IDENTITY_TOKEN_FILE` names, and that the volume is mounted in this container"
            }
            _ => "check that the program which writes the file runs, and that it writes to this path",
        }
    }

    /// Makes the platform issue tokens for the right audience.
    pub(super) fn set_audience(self) -> &'static str {
        match self {
            Self::Kubernetes => {
                "set `audience` of the pod's projected volume (serviceAccountToken) to that of the identity provider's \
                 entry at the API, and start the pod anew"
            }
            Self::Aks => {
                "mount a second projected token (serviceAccountToken) whose audience is that of the entry at the API, \
                 and set `token_file_path` to it: the webhook's token is for Microsoft Entra ID"
            }
            Self::Eks => {
                "mount a second projected token (serviceAccountToken) whose audience is that of the entry at the API, \
                 and set `token_file_path` to it: the webhook's token is for AWS STS"
            }
            Self::Azure => {
                "set `resource` to the Application ID URI of an app registration made for the API, and use the same \
                 value as audience there"
            }
            Self::Gcp | Self::Github | Self::Aws => {
                "set `audience` of the source to that of the identity provider's entry at the API"
            }
            Self::Spiffe => {
                "set `jwt_audience` of spiffe-helper to that of the identity provider's entry at the API"
            }
            Self::Variable => {
                "let the CI system issue the token for that audience (GitLab: `id_tokens: NAME: aud:`), or change `audience`"
            }
            Self::File | Self::Other => {
                "point `token_file_path` to the token for that audience, or change `audience`"
            }
        }
    }

    /// Makes the platform renew its token.
    pub(super) fn renew(self) -> &'static str {
        match self {
            Self::Kubernetes | Self::Aks | Self::Eks => {
                "check the kubelet's events for this pod (`kubectl describe pod`) and the node's clock; a pod whose \
                 service account was deleted gets no new token"
            }
            Self::Spiffe => "check that spiffe-helper runs and reaches the SPIRE agent",
            Self::Variable => {
                "start the job again, or use the token within its life: a variable cannot be renewed within a process"
            }
            Self::Azure | Self::Gcp | Self::Github | Self::Aws => "check this machine's clock",
            Self::File | Self::Other => "check that the program which renews the file still runs",
        }
    }

    /// Why the service that gives tokens cannot be reached, and what to do.
    pub(super) fn token_service_silent(self) -> (&'static str, &'static str) {
        match self {
            Self::Azure => (
                "this is no Azure machine, or something (a network policy, AKS's restriction of pods) keeps the workload \
                 from the metadata service at 169.254.169.254",
                "on AKS use the source `aks`; on App Service and Container Apps assign a managed identity, which sets \
                 `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`; on a virtual machine allow 169.254.169.254",
            ),
            Self::Gcp => (
                "this is no Google Cloud machine, or something keeps the workload from metadata.google.internal",
                "on GKE enable Workload Identity for the cluster and the node pool, and allow egress to 169.254.169.254 \
                 (Dataplane V2: 169.254.169.252:988)",
            ),
            Self::Aws => (
                "no AWS credentials are configured and the metadata service does not answer: this is no EC2 instance, or \
                 a container too many hops away from it",
                "for a container on EC2 run `aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2`; \
                 elsewhere give the workload a role (IRSA, EKS Pod Identity, ECS task role)",
            ),
            Self::Github => (
                "the runner cannot reach GitHub's token service",
                "let a self-hosted runner reach *.actions.githubusercontent.com over https",
            ),
            _ => (
                "the service that gives the identity token does not answer",
                "check egress rules and network policies",
            ),
        }
    }

    /// Why the service that gives tokens refuses, and what to do.
    pub(super) fn token_service_refuses(self) -> (&'static str, &'static str) {
        match self {
            Self::Azure => (
                "no managed identity is assigned to this resource, or not the one that is asked for, or `resource` is \
                 unknown to the tenant",
                "assign one (`az vm identity assign`, `az webapp identity assign`); with several, set `client_id`; check \
                 that an app registration with the identifier `resource` exists",
            ),
            Self::Gcp => (
                "no service account is attached to this machine, or Workload Identity does not know the pod's",
                "attach a service account to the machine, or annotate the pod's with `iam.gke.io/gcp-service-account`",
            ),
            Self::Github => (
                "the request token is not valid any more: it ends with the job that it was made for",
                "run within the job that has `permissions: id-token: write`, and hand \
                 `ACTIONS_ID_TOKEN_REQUEST_URL` and `_TOKEN` on unchanged",
            ),
            Self::Aws => (
                "no role is attached, or it cannot be assumed",
                "attach an instance profile or a task role, and check its trust policy",
            ),
            _ => (
                "the platform does not give this workload a token",
                "check the workload's identity on the platform",
            ),
        }
    }
}

/// The value of a setting, as the plan shows it.
pub(super) fn setting<'a>(plan: &'a Plan, name: &str) -> Option<&'a str> {
    plan.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
}
