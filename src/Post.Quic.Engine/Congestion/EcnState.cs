namespace Post.Quic.Engine.Congestion;

/// <summary>What is known of a path's support for ECN (RFC 9000 appendix A.4).</summary>
internal enum EcnState : byte
{
    /// <summary>The first packets are marked, to see whether marks survive.</summary>
    Testing,

    /// <summary>Enough packets are marked; nothing is marked until the peer has reported on them.</summary>
    Unknown,

    /// <summary>Marks survive and the peer counts them: everything is marked.</summary>
    Capable,

    /// <summary>Marks are lost, changed or not counted: nothing is marked on this path any more.</summary>
    Failed,
}
