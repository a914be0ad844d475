namespace Post.Quic.Engine.Crypto;

/// <summary>Which way the packets go that a key protects.</summary>
internal enum KeyDirection : byte
{
    /// <summary>Keys for what we send.</summary>
    Send,

    /// <summary>Keys for what the peer sends.</summary>
    Receive,
}
