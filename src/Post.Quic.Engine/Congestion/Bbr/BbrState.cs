namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>The states of BBR (draft-ietf-ccwg-bbr section 5.1.1).</summary>
internal enum BbrState : byte
{
    /// <summary>The rate doubles with each round trip until the path is full (section 5.3.1).</summary>
    Startup,

    /// <summary>The queue that <see cref="Startup"/> left behind empties (section 5.3.2).</summary>
    Drain,

    /// <summary>ProbeBW_DOWN: somewhat less is sent than the path carries, so that queues empty and others find room (section 5.3.3.1).</summary>
    Down,

    /// <summary>ProbeBW_CRUISE: as much is sent as the path carries (section 5.3.3.2).</summary>
    Cruise,

    /// <summary>ProbeBW_REFILL: the path is filled for a round trip before more is tried (section 5.3.3.3).</summary>
    Refill,

    /// <summary>ProbeBW_UP: more is sent, to see whether the path carries more (section 5.3.3.4).</summary>
    Up,

    /// <summary>Half of what fits is sent, to see the round trip without a queue (section 5.3.4).</summary>
    ProbeRtt,
}
