namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>What acknowledgements say at the moment about the search for more bandwidth (draft-ietf-ccwg-bbr section 2.14, BBR.ack_phase).</summary>
internal enum BbrAckPhase : byte
{
    /// <summary>Nothing: no more was tried.</summary>
    None,

    /// <summary>They are of packets that fill the path.</summary>
    Refilling,

    /// <summary>More is sent; they still are of packets from before.</summary>
    Starting,

    /// <summary>They are of packets with which more was tried.</summary>
    Feedback,

    /// <summary>No more is tried; they still are of packets from before.</summary>
    Stopping,
}
