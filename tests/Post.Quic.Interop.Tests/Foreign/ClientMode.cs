namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>What a foreign client is to do.</summary>
public enum ClientMode
{
    /// <summary>One request.</summary>
    Plain,

    /// <summary>One request with an answer of 100,000 bytes.</summary>
    Large,

    /// <summary>A thousand requests.</summary>
    Thousand,

    /// <summary>One request, with the certificate of client 1.</summary>
    Certificate,

    /// <summary>One request, begun with a version that we do not know.</summary>
    UnknownVersion,

    /// <summary>One request, begun with the draft of version 2.</summary>
    DraftVersion2,

    /// <summary>One request; it knows P-384, but offers a key share for X25519 only.</summary>
    ShareForX25519Only,
}
