namespace RagAgent.Common;

/// <summary>Everything that can go wrong, one line each.</summary>
internal static class ProblemCatalog
{
    public static readonly ProblemKind AccessClosed = new("access-closed");
    public static readonly ProblemKind AccessStale = new("access-stale");
    public static readonly ProblemKind AlreadyRunning = new("already-running") { ExitCode = ExitCodes.AlreadyRunning };
    public static readonly ProblemKind AppEndedWithEngine = new("app-ended-with-engine");
    public static readonly ProblemKind AppExited = new("app-exited") { ImageBlame = 2 };
    public static readonly ProblemKind AppNeverHealthy = new("app-never-healthy") { ImageBlame = 6 };
    public static readonly ProblemKind AppOutOfMemory = new("app-out-of-memory") { ImageBlame = 2 };
    public static readonly ProblemKind AppStopped = new("app-stopped");
    public static readonly ProblemKind AppUnhealthy = new("app-unhealthy") { ImageBlame = 3 };
    public static readonly ProblemKind AwsCredentials = new("aws-credentials");
    public static readonly ProblemKind AwsCredentialsExpired = new("aws-credentials-expired") { DependsOn = Dependency.Credentials };
    public static readonly ProblemKind AwsCredentialsUnknown = new("aws-credentials-unknown") { DependsOn = Dependency.Credentials };
    public static readonly ProblemKind AwsDenied = new("aws-denied") { DependsOn = Dependency.Credentials };
    public static readonly ProblemKind AwsKeyDenied = new("aws-key-denied") { DependsOn = Dependency.Credentials };
    public static readonly ProblemKind AwsRefused = new("aws-refused");
    public static readonly ProblemKind AwsServer = new("aws-server");
    public static readonly ProblemKind AwsSignature = new("aws-signature") { DependsOn = Dependency.Credentials };
    public static readonly ProblemKind AwsThrottled = new("aws-throttled");
    public static readonly ProblemKind CertificateDenied = new("certificate-denied");
    public static readonly ProblemKind CertificateExpired = new("certificate-expired");
    public static readonly ProblemKind CertificateExpiring = new("certificate-expiring");
    public static readonly ProblemKind CertificateMismatch = new("certificate-mismatch");
    public static readonly ProblemKind CertificateMissing = new("certificate-missing");
    public static readonly ProblemKind CertificateUnreadable = new("certificate-unreadable");
    public static readonly ProblemKind ConfigRefused = new("config-refused");
    public static readonly ProblemKind ContainerAlive = new("container-alive");
    public static readonly ProblemKind ContainerNameTaken = new("container-name-taken");
    public static readonly ProblemKind ContainerRemoved = new("container-removed");
    public static readonly ProblemKind ContainerVanished = new("container-vanished");
    public static readonly ProblemKind ControlDenied = new("control-denied") { ExitCode = ExitCodes.Denied };
    public static readonly ProblemKind ControlSocket = new("control-socket");
    public static readonly ProblemKind ControlSocketName = new("control-socket-name") { ExitCode = ExitCodes.BadConfiguration };
    public static readonly ProblemKind DiskFull = new("disk-full");
    public static readonly ProblemKind DnsElsewhere = new("dns-elsewhere");
    public static readonly ProblemKind DnsGarbled = new("dns-garbled");
    public static readonly ProblemKind DnsNameTaken = new("dns-name-taken");
    public static readonly ProblemKind DnsNoAddress = new("dns-no-address");
    public static readonly ProblemKind DnsNoMetadata = new("dns-no-metadata");
    public static readonly ProblemKind DnsOutsideZone = new("dns-outside-zone");
    public static readonly ProblemKind DnsRefused = new("dns-refused");
    public static readonly ProblemKind DnsUnreachable = new("dns-unreachable");
    public static readonly ProblemKind DnsZoneMissing = new("dns-zone-missing");
    public static readonly ProblemKind Ec2StopProtected = new("ec2-stop-protected");
    public static readonly ProblemKind Ec2StopUnsupported = new("ec2-stop-unsupported");
    public static readonly ProblemKind Ec2Unreachable = new("ec2-unreachable");
    public static readonly ProblemKind EcrGarbled = new("ecr-garbled");
    public static readonly ProblemKind EcrUnreachable = new("ecr-unreachable");
    public static readonly ProblemKind EngineContainerd = new("engine-containerd");
    public static readonly ProblemKind EngineHost = new("engine-host");
    public static readonly ProblemKind EngineMount = new("engine-mount");
    public static readonly ProblemKind EngineNetwork = new("engine-network");
    public static readonly ProblemKind EnginePortTaken = new("engine-port-taken");
    public static readonly ProblemKind EngineRefused = new("engine-refused") { ImageBlame = 2 };
    public static readonly ProblemKind EngineShort = new("engine-short");
    public static readonly ProblemKind EngineSilent = new("engine-silent");
    public static readonly ProblemKind EngineUnreachable = new("engine-unreachable");
    public static readonly ProblemKind EngineUser = new("engine-user") { ImageBlame = 2 };
    public static readonly ProblemKind ImageCompression = new("image-compression");
    public static readonly ProblemKind ImageCorrupt = new("image-corrupt");
    public static readonly ProblemKind ImageFailedBefore = new("image-failed-before");
    public static readonly ProblemKind ImageManifest = new("image-manifest");
    public static readonly ProblemKind ImageMissing = new("image-missing");
    public static readonly ProblemKind ImagePlatform = new("image-platform");
    public static readonly ProblemKind ImageQuarantined = new("image-quarantined");
    public static readonly ProblemKind ImageRolledBack = new("image-rolled-back");
    public static readonly ProblemKind ImageStoreBroken = new("image-store-broken");
    public static readonly ProblemKind ImageUndecided = new("image-undecided");
    public static readonly ProblemKind ImageWithoutShell = new("image-without-shell") { ImageBlame = 2 };
    public static readonly ProblemKind ImdsDisabled = new("imds-disabled");
    public static readonly ProblemKind ImdsEndpoint = new("imds-endpoint");
    public static readonly ProblemKind ImdsGarbled = new("imds-garbled");
    public static readonly ProblemKind ImdsMissing = new("imds-missing");
    public static readonly ProblemKind ImdsNoRole = new("imds-no-role");
    public static readonly ProblemKind ImdsRefused = new("imds-refused");
    public static readonly ProblemKind ImdsRoleRefused = new("imds-role-refused");
    public static readonly ProblemKind ImdsSilent = new("imds-silent");
    public static readonly ProblemKind ImdsUnreachable = new("imds-unreachable");
    public static readonly ProblemKind InstanceStillUp = new("instance-still-up");
    public static readonly ProblemKind InstanceStopping = new("instance-stopping");
    public static readonly ProblemKind Io = new("io");
    public static readonly ProblemKind ListenFailed = new("listen-failed");
    public static readonly ProblemKind ListenPortDenied = new("listen-port-denied");
    public static readonly ProblemKind ListenPortTaken = new("listen-port-taken");
    public static readonly ProblemKind Network = new("network");
    public static readonly ProblemKind NoLastGood = new("no-last-good");
    public static readonly ProblemKind NotRunning = new("not-running") { ExitCode = ExitCodes.NotRunning };
    public static readonly ProblemKind NothingQuarantined = new("nothing-quarantined");
    public static readonly ProblemKind PullIncomplete = new("pull-incomplete");
    public static readonly ProblemKind PullStalled = new("pull-stalled");
    public static readonly ProblemKind Registry = new("registry");
    public static readonly ProblemKind RegistryCorrupt = new("registry-corrupt");
    public static readonly ProblemKind RegistryDenied = new("registry-denied");
    public static readonly ProblemKind RegistryRepositoryMissing = new("registry-repository-missing");
    public static readonly ProblemKind RegistryTagMissing = new("registry-tag-missing");
    public static readonly ProblemKind RegistryThrottled = new("registry-throttled");
    public static readonly ProblemKind RegistryTokenRefused = new("registry-token-refused");
    public static readonly ProblemKind RegistryUnreachable = new("registry-unreachable");
    public static readonly ProblemKind RuntimeDirectoryTaken = new("runtime-directory-taken") { ExitCode = ExitCodes.AlreadyRunning };
    public static readonly ProblemKind SecretEmpty = new("secret-empty");
    public static readonly ProblemKind SecretFieldMissing = new("secret-field-missing");
    public static readonly ProblemKind SecretFileDenied = new("secret-file-denied");
    public static readonly ProblemKind SecretFileMissing = new("secret-file-missing");
    public static readonly ProblemKind SecretFileTooLarge = new("secret-file-too-large");
    public static readonly ProblemKind SecretMalformed = new("secret-malformed");
    public static readonly ProblemKind SecretNoCredentials = new("secret-no-credentials");
    public static readonly ProblemKind SecretNotJson = new("secret-not-json");
    public static readonly ProblemKind SecretsForgotten = new("secrets-forgotten");
    public static readonly ProblemKind SecretsNotDelivered = new("secrets-not-delivered");
    public static readonly ProblemKind SsmGarbled = new("ssm-garbled");
    public static readonly ProblemKind SsmParameterMissing = new("ssm-parameter-missing");
    public static readonly ProblemKind SsmUnreachable = new("ssm-unreachable");
    public static readonly ProblemKind SsmVersionMissing = new("ssm-version-missing");
    public static readonly ProblemKind StateDirectory = new("state-directory");
    public static readonly ProblemKind StateUnreadable = new("state-unreadable");
    public static readonly ProblemKind StateUnwritable = new("state-unwritable");
    public static readonly ProblemKind Timeout = new("timeout");
    public static readonly ProblemKind Unexpected = new("unexpected");
    public static readonly ProblemKind VolumeMissing = new("volume-missing");
    public static readonly ProblemKind VolumeNotMade = new("volume-not-made");
    public static readonly ProblemKind VolumeNotMounted = new("volume-not-mounted");
    public static readonly ProblemKind VolumeNotWritable = new("volume-not-writable");

    private static readonly Dictionary<string, ProblemKind> ByCode = new[]
    {
        AccessClosed,
        AccessStale,
        AlreadyRunning,
        AppEndedWithEngine,
        AppExited,
        AppNeverHealthy,
        AppOutOfMemory,
        AppStopped,
        AppUnhealthy,
        AwsCredentials,
        AwsCredentialsExpired,
        AwsCredentialsUnknown,
        AwsDenied,
        AwsKeyDenied,
        AwsRefused,
        AwsServer,
        AwsSignature,
        AwsThrottled,
        CertificateDenied,
        CertificateExpired,
        CertificateExpiring,
        CertificateMismatch,
        CertificateMissing,
        CertificateUnreadable,
        ConfigRefused,
        ContainerAlive,
        ContainerNameTaken,
        ContainerRemoved,
        ContainerVanished,
        ControlDenied,
        ControlSocket,
        ControlSocketName,
        DiskFull,
        DnsElsewhere,
        DnsGarbled,
        DnsNameTaken,
        DnsNoAddress,
        DnsNoMetadata,
        DnsOutsideZone,
        DnsRefused,
        DnsUnreachable,
        DnsZoneMissing,
        Ec2StopProtected,
        Ec2StopUnsupported,
        Ec2Unreachable,
        EcrGarbled,
        EcrUnreachable,
        EngineContainerd,
        EngineHost,
        EngineMount,
        EngineNetwork,
        EnginePortTaken,
        EngineRefused,
        EngineShort,
        EngineSilent,
        EngineUnreachable,
        EngineUser,
        ImageCompression,
        ImageCorrupt,
        ImageFailedBefore,
        ImageManifest,
        ImageMissing,
        ImagePlatform,
        ImageQuarantined,
        ImageRolledBack,
        ImageStoreBroken,
        ImageUndecided,
        ImageWithoutShell,
        ImdsDisabled,
        ImdsEndpoint,
        ImdsGarbled,
        ImdsMissing,
        ImdsNoRole,
        ImdsRefused,
        ImdsRoleRefused,
        ImdsSilent,
        ImdsUnreachable,
        InstanceStillUp,
        InstanceStopping,
        Io,
        ListenFailed,
        ListenPortDenied,
        ListenPortTaken,
        Network,
        NoLastGood,
        NotRunning,
        NothingQuarantined,
        PullIncomplete,
        PullStalled,
        Registry,
        RegistryCorrupt,
        RegistryDenied,
        RegistryRepositoryMissing,
        RegistryTagMissing,
        RegistryThrottled,
        RegistryTokenRefused,
        RegistryUnreachable,
        RuntimeDirectoryTaken,
        SecretEmpty,
        SecretFieldMissing,
        SecretFileDenied,
        SecretFileMissing,
        SecretFileTooLarge,
        SecretMalformed,
        SecretNoCredentials,
        SecretNotJson,
        SecretsForgotten,
        SecretsNotDelivered,
        SsmGarbled,
        SsmParameterMissing,
        SsmUnreachable,
        SsmVersionMissing,
        StateDirectory,
        StateUnreadable,
        StateUnwritable,
        Timeout,
        Unexpected,
        VolumeMissing,
        VolumeNotMade,
        VolumeNotMounted,
        VolumeNotWritable,
    }.ToDictionary(kind => kind.Code);

    public static IReadOnlyCollection<ProblemKind> All => ByCode.Values;

    /// <summary>The kind with this code. A state file written by another version may hold a code that this one doesn't know: it gets a kind without data.</summary>
    public static ProblemKind Find(string code) => ByCode.GetValueOrDefault(code) ?? new ProblemKind(code);
}
