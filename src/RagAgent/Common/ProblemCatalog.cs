namespace RagAgent.Common;

/// <summary>Everything that can go wrong, as one table. What the agent does about a problem, it reads here.</summary>
/// <remarks>docs/messages.md explains each entry under its code; its subject there is the summary here.</remarks>
internal static class ProblemCatalog
{
    // Above the entries: static fields are initialized from top to bottom.
    private static readonly Dictionary<string, ProblemKind> ByCode = [];

    // The app and its container
    public static readonly ProblemKind AppExited =
        Define("app-exited", Dependency.App, "The app exited", imageBlame: 2, isAppFailure: true);
    public static readonly ProblemKind AppOutOfMemory =
        Define("app-out-of-memory", Dependency.App, "The app ran out of memory", imageBlame: 2, isAppFailure: true);
    public static readonly ProblemKind AppUnhealthy =
        Define("app-unhealthy", Dependency.App, "The app stopped answering", imageBlame: 3, isAppFailure: true);
    public static readonly ProblemKind AppNeverHealthy =
        Define("app-never-healthy", Dependency.App, "The app was not ready in time", imageBlame: 6, isAppFailure: true);
    public static readonly ProblemKind AppSessionFailed =
        Define("app-session-failed", Dependency.App, "The app answers, but its page fails", imageBlame: 6, isAppFailure: true);
    public static readonly ProblemKind AppWrongPort =
        Define("app-wrong-port", Dependency.App, "The app doesn't listen where it is expected");
    public static readonly ProblemKind AppEndedWithEngine =
        Define("app-ended-with-engine", Dependency.Engine, "The app ended with Docker Engine", isAppFailure: true);
    public static readonly ProblemKind SecretsNotDelivered =
        Define("secrets-not-delivered", Dependency.App, "The container did not get its secrets");
    public static readonly ProblemKind SecretsForgotten =
        Define("secrets-forgotten", Dependency.SecretSource, "The secrets of a release are not in memory");
    public static readonly ProblemKind ContainerRemoved =
        Define("container-removed", Dependency.Engine, "Someone removed the app's container");
    public static readonly ProblemKind ContainerVanished =
        Define("container-vanished", Dependency.Engine, "The container disappeared right after its start");
    public static readonly ProblemKind ContainerAlive =
        Define("container-alive", Dependency.Engine, "Another container of the agent is already running");
    public static readonly ProblemKind ContainerNameTaken =
        Define("container-name-taken", Dependency.Engine, "The container's name is taken");

    // Docker Engine
    public static readonly ProblemKind EngineUnreachable =
        Define("engine-unreachable", Dependency.Engine, "Docker Engine can't be reached",
            retry: ProblemRetry.AfterInspection, isOutage: true);
    public static readonly ProblemKind EngineSilent =
        Define("engine-silent", Dependency.Engine, "Docker Engine doesn't answer in time",
            retry: ProblemRetry.AfterInspection, isOutage: true);
    public static readonly ProblemKind EngineHost =
        Define("engine-host", Dependency.Engine, "DOCKER_HOST is not a Unix socket", isOutage: true);
    public static readonly ProblemKind EngineContainerd =
        Define("engine-containerd", Dependency.Engine, "Docker Engine can't reach containerd");
    public static readonly ProblemKind EngineNetwork = Define("engine-network", Dependency.Engine, "Docker's firewall rules are missing");
    public static readonly ProblemKind EnginePortTaken =
        Define("engine-port-taken", Dependency.Engine, "A local port was taken during the start");
    public static readonly ProblemKind EngineShort = Define("engine-short", Dependency.Machine, "The machine lacks memory or processes");
    public static readonly ProblemKind EngineMount = Define("engine-mount", Dependency.Engine, "A volume can't be mounted");
    public static readonly ProblemKind EngineUser =
        Define("engine-user", Dependency.Image, "The image doesn't know the user", imageBlame: 2);
    public static readonly ProblemKind EngineRefused =
        Define("engine-refused", Dependency.Engine, "Docker Engine refused a request", imageBlame: 2);

    // Volumes and the disk
    public static readonly ProblemKind VolumeMissing =
        Define("volume-missing", Dependency.Disk, "A folder in container.volumes is missing");
    public static readonly ProblemKind VolumeNotMade =
        Define("volume-not-made", Dependency.Disk, "ragagent volumes could not create a folder", retry: ProblemRetry.Never);
    public static readonly ProblemKind VolumeNotMounted =
        Define("volume-not-mounted", Dependency.Disk, "The disk for a volume's folder is not mounted");
    public static readonly ProblemKind VolumeNotWritable =
        Define("volume-not-writable", Dependency.Disk, "The app can't write to its folder");
    public static readonly ProblemKind DiskFull =
        Define("disk-full", Dependency.Disk, "The disk is full, or the image doesn't fit", retry: ProblemRetry.AfterCleanup);

    // Images on disk, and the verdict on them
    public static readonly ProblemKind ImageMissing =
        Define("image-missing", Dependency.Image, "The image is no longer on disk", retry: ProblemRetry.AfterFetch);
    public static readonly ProblemKind ImageCorrupt =
        Define("image-corrupt", Dependency.Image, "A layer of the image on disk is broken", retry: ProblemRetry.AfterFetch);
    public static readonly ProblemKind ImageStoreBroken =
        Define("image-store-broken", Dependency.Disk, "The image is still broken after a new pull");
    public static readonly ProblemKind ImageWithoutShell =
        Define("image-without-shell", Dependency.Image, "The image has no /bin/sh", imageBlame: 2);
    public static readonly ProblemKind SecretsFolderTaken =
        Define("secrets-folder-taken", Dependency.Image, "The image has the folder of the secrets", imageBlame: 2);
    public static readonly ProblemKind ImagePlatform = Define("image-platform", Dependency.Image, "The image is for another platform");
    public static readonly ProblemKind ImageManifest = Define("image-manifest", Dependency.Image, "The tag doesn't hold a container image");
    public static readonly ProblemKind ImageCompression =
        Define("image-compression", Dependency.Engine, "Docker Engine can't unpack the image's layers");
    public static readonly ProblemKind ImageFailedBefore =
        Define("image-failed-before", Dependency.Image, "An image failed before the state file was lost",
            severity: ProblemSeverity.Warning);

    // Pulling images
    public static readonly ProblemKind PullStalled = Define("pull-stalled", Dependency.Registry, "The pull went silent and was cancelled");
    public static readonly ProblemKind PullIncomplete = Define("pull-incomplete", Dependency.Engine, "The pull ended without an image");
    public static readonly ProblemKind Registry = Define("registry", Dependency.Registry, "The image could not be pulled");
    public static readonly ProblemKind RegistryUnreachable =
        Define("registry-unreachable", Dependency.Registry, "The registry can't be reached", isOutage: true);
    public static readonly ProblemKind RegistryStorageUnreachable =
        Define("registry-storage-unreachable", Dependency.Registry, "The host that keeps the image's data can't be reached");
    public static readonly ProblemKind RegistryThrottled =
        Define("registry-throttled", Dependency.Registry, "The registry limits requests", isOutage: true);
    public static readonly ProblemKind RegistryDenied =
        Define("registry-denied", Dependency.Registry, "The registry denies access to the image");
    public static readonly ProblemKind RegistryTokenRefused =
        Define("registry-token-refused", Dependency.Registry, "The registry refuses the token");
    public static readonly ProblemKind RegistryRepositoryMissing =
        Define("registry-repository-missing", Dependency.Registry, "The repository does not exist");
    public static readonly ProblemKind RegistryTagMissing = Define("registry-tag-missing", Dependency.Registry, "The tag does not exist");
    public static readonly ProblemKind RegistryCorrupt = Define("registry-corrupt", Dependency.Registry, "The registry's answer is wrong");
    public static readonly ProblemKind EcrUnreachable =
        Define("ecr-unreachable", Dependency.Registry, "The ECR API can't be reached", isOutage: true);
    public static readonly ProblemKind EcrGarbled = Define("ecr-garbled", Dependency.Registry, "ECR's answer can't be understood");

    // AWS
    public static readonly ProblemKind AwsCredentials =
        Define("aws-credentials", Dependency.Credentials, "No AWS credentials, although the instance has some", isOutage: true);
    public static readonly ProblemKind AwsCredentialsExpired =
        Define("aws-credentials-expired", Dependency.Credentials, "The credentials have expired", isOutage: true);
    public static readonly ProblemKind AwsCredentialsUnknown =
        Define("aws-credentials-unknown", Dependency.Credentials, "AWS doesn't know the credentials", isOutage: true);
    public static readonly ProblemKind AwsSignature =
        Define("aws-signature", Dependency.Credentials, "AWS doesn't accept the signature", isOutage: true);
    public static readonly ProblemKind AwsDenied = Define("aws-denied", Dependency.Credentials, "A permission is missing");
    public static readonly ProblemKind AwsKeyDenied = Define("aws-key-denied", Dependency.Credentials, "The KMS key may not be used");
    public static readonly ProblemKind AwsThrottled = Define("aws-throttled", Dependency.Aws, "AWS limits requests");
    public static readonly ProblemKind AwsServer = Define("aws-server", Dependency.Aws, "AWS reported an internal error");
    public static readonly ProblemKind AwsRefused = Define("aws-refused", Dependency.Aws, "AWS refused for another reason");

    // The instance metadata, and the role
    public static readonly ProblemKind ImdsUnreachable =
        Define("imds-unreachable", Dependency.InstanceMetadata, "The instance metadata service can't be reached", isOutage: true);
    public static readonly ProblemKind ImdsSilent =
        Define("imds-silent", Dependency.InstanceMetadata, "The instance metadata service doesn't answer", isOutage: true);
    public static readonly ProblemKind ImdsDisabled =
        Define("imds-disabled", Dependency.InstanceMetadata, "A variable disables the instance metadata", isOutage: true);
    public static readonly ProblemKind ImdsEndpoint =
        Define("imds-endpoint", Dependency.InstanceMetadata, "The instance metadata address is invalid", isOutage: true);
    public static readonly ProblemKind ImdsRefused =
        Define("imds-refused", Dependency.InstanceMetadata, "The instance metadata service refuses", isOutage: true);
    public static readonly ProblemKind ImdsGarbled =
        Define("imds-garbled", Dependency.InstanceMetadata, "The instance metadata can't be understood");
    public static readonly ProblemKind ImdsMissing =
        Define("imds-missing", Dependency.InstanceMetadata, "The instance metadata has no region");
    public static readonly ProblemKind ImdsNoRole =
        Define("imds-no-role", Dependency.Credentials, "The instance has no IAM role", isOutage: true);
    public static readonly ProblemKind ImdsRoleRefused =
        Define("imds-role-refused", Dependency.Credentials, "The instance may not use its role", isOutage: true);

    // Secrets
    public static readonly ProblemKind SsmUnreachable =
        Define("ssm-unreachable", Dependency.ParameterStore, "Parameter Store can't be reached", isOutage: true);
    public static readonly ProblemKind SsmParameterMissing =
        Define("ssm-parameter-missing", Dependency.ParameterStore, "The parameter does not exist");
    public static readonly ProblemKind SsmVersionMissing =
        Define("ssm-version-missing", Dependency.ParameterStore, "The parameter has no such version or label");
    public static readonly ProblemKind SsmGarbled =
        Define("ssm-garbled", Dependency.ParameterStore, "Parameter Store's answer can't be understood");
    public static readonly ProblemKind SecretEmpty = Define("secret-empty", Dependency.SecretSource, "A secret is empty");
    public static readonly ProblemKind SecretMalformed =
        Define("secret-malformed", Dependency.SecretSource, "A secret contains a zero byte");
    public static readonly ProblemKind SecretNotJson = Define("secret-not-json", Dependency.SecretSource, "A secret is not JSON");
    public static readonly ProblemKind SecretFieldMissing =
        Define("secret-field-missing", Dependency.SecretSource, "A secret lacks the JSON field");
    public static readonly ProblemKind SecretFileMissing =
        Define("secret-file-missing", Dependency.SecretSource, "A secret's file does not exist");
    public static readonly ProblemKind SecretFileDenied =
        Define("secret-file-denied", Dependency.SecretSource, "A secret's file can't be read");
    public static readonly ProblemKind SecretFileTooLarge =
        Define("secret-file-too-large", Dependency.SecretSource, "A secret's file is too large");
    public static readonly ProblemKind SecretNoCredentials =
        Define("secret-no-credentials", Dependency.SecretSource, "systemd passed no credentials");

    // DNS
    public static readonly ProblemKind DnsUnreachable =
        Define("dns-unreachable", Dependency.Route53, "Route 53 can't be reached", isOutage: true);
    public static readonly ProblemKind DnsGarbled = Define("dns-garbled", Dependency.Route53, "Route 53's answer can't be understood");
    public static readonly ProblemKind DnsRefused = Define("dns-refused", Dependency.Route53, "Route 53 refuses the change");
    public static readonly ProblemKind DnsZoneMissing = Define("dns-zone-missing", Dependency.Route53, "The hosted zone does not exist");
    public static readonly ProblemKind DnsOutsideZone =
        Define("dns-outside-zone", Dependency.Route53, "The DNS name is not in the hosted zone");
    public static readonly ProblemKind DnsNameTaken =
        Define("dns-name-taken", Dependency.Route53, "The DNS name has a record of another kind");
    public static readonly ProblemKind DnsElsewhere =
        Define("dns-elsewhere", Dependency.Route53, "A second record of the DNS name leads elsewhere", severity: ProblemSeverity.Warning);
    public static readonly ProblemKind DnsNoAddress = Define("dns-no-address", Dependency.Machine, "The instance has no public address");
    public static readonly ProblemKind DnsNoMetadata =
        Define("dns-no-metadata", Dependency.InstanceMetadata, "The public address can't be determined");

    // The front door
    public static readonly ProblemKind ListenPortTaken =
        Define("listen-port-taken", Dependency.Machine, "The port of the front door is taken");
    public static readonly ProblemKind ListenPortDenied =
        Define("listen-port-denied", Dependency.Machine, "The agent may not open the front door's port");
    public static readonly ProblemKind ListenFailed =
        Define("listen-failed", Dependency.Machine, "The port of the front door can't be opened");
    public static readonly ProblemKind AccessClosed =
        Define("access-closed", Dependency.SecretSource, "Nobody can log in with the password");
    public static readonly ProblemKind AccessStale =
        Define("access-stale", Dependency.SecretSource, "The password hash can't be read again", severity: ProblemSeverity.Warning);
    public static readonly ProblemKind CertificateMissing =
        Define("certificate-missing", Dependency.Certificate, "A certificate file does not exist");
    public static readonly ProblemKind CertificateDenied =
        Define("certificate-denied", Dependency.Certificate, "The service can't read the certificate");
    public static readonly ProblemKind CertificateUnreadable =
        Define("certificate-unreadable", Dependency.Certificate, "A certificate file can't be used");
    public static readonly ProblemKind CertificateMismatch =
        Define("certificate-mismatch", Dependency.Certificate, "Certificate and private key don't match");
    public static readonly ProblemKind CertificateExpired =
        Define("certificate-expired", Dependency.Certificate, "The certificate is not valid now");
    public static readonly ProblemKind CertificateExpiring =
        Define("certificate-expiring", Dependency.Certificate, "The certificate was not renewed in time",
            severity: ProblemSeverity.Warning);

    // Stopping the instance
    public static readonly ProblemKind Ec2Unreachable =
        Define("ec2-unreachable", Dependency.Ec2, "The EC2 API can't be reached", isOutage: true);
    public static readonly ProblemKind Ec2StopProtected = Define("ec2-stop-protected", Dependency.Ec2, "EC2 stop protection is on");
    public static readonly ProblemKind Ec2StopUnsupported =
        Define("ec2-stop-unsupported", Dependency.Ec2, "This kind of instance can't be stopped");
    public static readonly ProblemKind InstanceStillUp =
        Define("instance-still-up", Dependency.Ec2, "The instance still runs after EC2 accepted its stop");

    // Answers to a command
    public static readonly ProblemKind AppStopped =
        Define("app-stopped", Dependency.None, "The app is stopped, so the command did nothing",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind ImageRolledBack =
        Define("image-rolled-back", Dependency.None, "An operator rolled the newest image back",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind ImageQuarantined =
        Define("image-quarantined", Dependency.Image, "The newest image is set aside",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind ImageUndecided =
        Define("image-undecided", Dependency.Image, "The newest image and the one before it failed",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind NothingQuarantined =
        Define("nothing-quarantined", Dependency.None, "No image is set aside", severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind NoLastGood =
        Define("no-last-good", Dependency.None, "There is no image to roll back to",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);
    public static readonly ProblemKind InstanceStopping =
        Define("instance-stopping", Dependency.None, "The instance is stopping, so the command did nothing",
            severity: ProblemSeverity.Info, retry: ProblemRetry.Never);

    // The agent itself
    public static readonly ProblemKind NotRunning =
        Define("not-running", Dependency.Agent, "No agent answers", retry: ProblemRetry.Never, exitCode: ExitCodes.NotRunning);
    public static readonly ProblemKind ControlDenied =
        Define("control-denied", Dependency.Agent, "This user may not use the control socket",
            retry: ProblemRetry.Never, exitCode: ExitCodes.Denied);
    public static readonly ProblemKind ControlSocket =
        Define("control-socket", Dependency.Machine, "The control socket can't be created", retry: ProblemRetry.Never);
    public static readonly ProblemKind ControlSocketName =
        Define("control-socket-name", Dependency.Configuration, "The path of the control socket is too long",
            retry: ProblemRetry.Never, exitCode: ExitCodes.BadConfiguration);
    public static readonly ProblemKind AlreadyRunning =
        Define("already-running", Dependency.Machine, "Another agent already manages this container",
            retry: ProblemRetry.Never, exitCode: ExitCodes.AlreadyRunning);
    public static readonly ProblemKind RuntimeDirectoryTaken =
        Define("runtime-directory-taken", Dependency.Machine, "Another agent uses the runtime directory",
            retry: ProblemRetry.Never, exitCode: ExitCodes.AlreadyRunning);
    public static readonly ProblemKind ConfigRefused =
        Define("config-refused", Dependency.Configuration, "The configuration file has errors",
            severity: ProblemSeverity.Warning, retry: ProblemRetry.Never);
    public static readonly ProblemKind StateDirectory =
        Define("state-directory", Dependency.Disk, "The position in the app's log can't be saved", severity: ProblemSeverity.Warning);
    public static readonly ProblemKind StateUnreadable =
        Define("state-unreadable", Dependency.Disk, "The state file can't be used",
            severity: ProblemSeverity.Warning, retry: ProblemRetry.Never);
    public static readonly ProblemKind StateUnwritable =
        Define("state-unwritable", Dependency.Disk, "The state file can't be written", severity: ProblemSeverity.Warning);

    // Exceptions that no room translated
    public static readonly ProblemKind Network = Define("network", Dependency.Network, "A connection failed");
    public static readonly ProblemKind Timeout = Define("timeout", Dependency.Network, "An operation took too long");
    public static readonly ProblemKind Io = Define("io", Dependency.Disk, "Reading or writing failed");
    public static readonly ProblemKind Unexpected = Define("unexpected", Dependency.None, "An unexpected error occurred");

    public static IReadOnlyCollection<ProblemKind> All => ByCode.Values;

    /// <summary>The kind with this code. A state file of another version may hold an unknown code: it gets a kind without data.</summary>
    public static ProblemKind Find(string code) => ByCode.GetValueOrDefault(code) ?? new ProblemKind(code);

    private static ProblemKind Define(
        string code,
        Dependency dependsOn,
        string summary,
        ProblemSeverity severity = ProblemSeverity.Error,
        ProblemRetry retry = ProblemRetry.Backoff,
        int imageBlame = 0,
        bool isAppFailure = false,
        bool isOutage = false,
        int exitCode = ExitCodes.Failed)
    {
        var kind = new ProblemKind(code)
        {
            Summary = summary,
            Severity = severity,
            DependsOn = dependsOn,
            IsOutage = isOutage,
            Retry = retry,
            ImageBlame = imageBlame,
            IsAppFailure = isAppFailure,
            ExitCode = exitCode,
        };
        ByCode.Add(code, kind);
        return kind;
    }
}
