namespace LocalAws;

/// <summary>LocalAws can't run or obey. The message says why and what to do.</summary>
public sealed class LocalAwsException(string message, Exception? cause = null) : Exception(message, cause);
