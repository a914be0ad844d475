namespace Post.Quic.Engine.Wire;

/// <summary>The four sets of keys a connection passes through (RFC 9001 section 2.1), in the order they appear.</summary>
internal enum EncryptionLevel : byte
{
    /// <summary>Keys that anyone who saw the client's first packet can derive.</summary>
    Initial,

    /// <summary>0-RTT: the client's early data, under keys of an earlier session.</summary>
    EarlyData,

    /// <summary>Keys of the TLS handshake.</summary>
    Handshake,

    /// <summary>1-RTT: everything after the handshake.</summary>
    Application,
}
