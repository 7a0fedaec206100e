namespace RagAgent.Common;

/// <summary>What a problem can depend on.</summary>
internal enum Dependency
{
    None,

    /// <summary>The app's own code and configuration.</summary>
    App,

    /// <summary>The image that was pushed.</summary>
    Image,

    /// <summary>Docker Engine, and what only it can do.</summary>
    Engine,

    /// <summary>The machine's memory, processes, ports and addresses.</summary>
    Machine,

    Disk,
    Network,
    InstanceMetadata,

    /// <summary>The AWS credentials and what they permit: other credentials may solve it.</summary>
    Credentials,

    /// <summary>AWS itself, whichever of its services.</summary>
    Aws,

    ParameterStore,
    Registry,
    Route53,
    Ec2,

    /// <summary>What a secret's parameter, file or credential holds.</summary>
    SecretSource,

    /// <summary>The files of the TLS certificate.</summary>
    Certificate,

    /// <summary>The configuration file, or the service's settings.</summary>
    Configuration,

    /// <summary>The running agent, asked by a command.</summary>
    Agent,
}
