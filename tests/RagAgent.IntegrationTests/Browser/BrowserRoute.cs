namespace RagAgent.IntegrationTests.Browser;

/// <summary>How a browser reaches the app.</summary>
public enum BrowserRoute
{
    /// <summary>HTTP/1.1, at the root.</summary>
    Http,

    /// <summary>HTTP/1.1, below a base path and behind a password.</summary>
    HttpWithPasswordBelowPath,

    /// <summary>HTTP/2 over TLS, below a base path and behind a password.</summary>
    TlsWithPasswordBelowPath,
}
