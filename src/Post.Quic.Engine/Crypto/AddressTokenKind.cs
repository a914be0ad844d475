namespace Post.Quic.Engine.Crypto;

/// <summary>How a token reached the client (RFC 9000 section 8.1.1: a server must be able to tell).</summary>
internal enum AddressTokenKind : byte
{
    /// <summary>In a Retry packet: for the same attempt to connect, from the same address and port.</summary>
    Retry = 1,

    /// <summary>In a NEW_TOKEN frame: for one later connection from the same address.</summary>
    NewToken = 2,
}
