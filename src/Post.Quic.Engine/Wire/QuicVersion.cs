namespace Post.Quic.Engine.Wire;

/// <summary>The versions of QUIC that this engine speaks.</summary>
internal enum QuicVersion : uint
{
    /// <summary>Marks a Version Negotiation packet (RFC 8999 section 6).</summary>
    Negotiation = 0,

    /// <summary>RFC 9000.</summary>
    Version1 = 0x00000001,

    /// <summary>RFC 9369.</summary>
    Version2 = 0x6b3343cf,
}
