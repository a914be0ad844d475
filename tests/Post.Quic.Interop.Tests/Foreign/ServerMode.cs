namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>How a foreign server is to be started.</summary>
public enum ServerMode
{
    /// <summary>As it is by itself.</summary>
    Plain,

    /// <summary>It makes every client prove its address.</summary>
    Retry,

    /// <summary>It asks clients for a certificate.</summary>
    ClientCertificate,

    /// <summary>It takes P-384 only, for which nobody offers a key share unasked.</summary>
    P384Only,
}
