namespace LocalAws.Ssm;

/// <summary>The types of a parameter, with the names of the service.</summary>
#pragma warning disable CA1720 // The names are AWS's.
public enum ParameterType
{
    String,
    StringList,
    SecureString,
}
#pragma warning restore CA1720
