namespace Post.Quic.Engine.Congestion;

/// <summary>The two ECN bits of the IP header (RFC 3168 section 5), with their values on the wire.</summary>
internal enum EcnCodepoint : byte
{
    NotEct = 0,

    /// <summary>ECT(1), the mark of L4S.</summary>
    Ect1 = 1,

    /// <summary>ECT(0), the mark of classic congestion control.</summary>
    Ect0 = 2,

    /// <summary>Congestion experienced: a router would rather have dropped this.</summary>
    Ce = 3,
}
