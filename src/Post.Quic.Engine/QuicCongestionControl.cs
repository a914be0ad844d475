namespace Post.Quic.Engine;

/// <summary>Decides how much may be on its way to the peer: which congestion controller each path has.</summary>
public enum QuicCongestionControl
{
    /// <summary>
    /// <see cref="Cubic"/> for what has no deadline, <see cref="Bbr"/> from the first thing with a deadline on (<see cref="QuicPriority"/>), for all
    /// that the connection sends.
    /// </summary>
    Auto,

    /// <summary>
    /// CUBIC (RFC 9438) with HyStart++ (RFC 9406), as most of the Internet. Each loss counts as congestion: at 1% of random loss little of
    /// a link is used.
    /// </summary>
    Cubic,

    /// <summary>
    /// BBRv3 (draft-ietf-ccwg-bbr): goes by the rate at which the path delivers, keeps queues short, and slows down for losses only where
    /// they are many. It gives up some percent of a clean link to measure its round trip. Experimental in the IETF.
    /// </summary>
    Bbr,

    /// <summary>NewReno (RFC 9002 section 7): the simplest, to compare with.</summary>
    NewReno,
}
