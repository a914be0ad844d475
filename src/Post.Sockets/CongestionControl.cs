namespace Post.Sockets;

/// <summary>How much of what an association sends may be on its way at a time. Each side decides for what it sends.</summary>
public enum CongestionControl
{
    /// <summary>
    /// By what is sent: <see cref="Cubic"/>, and <see cref="Bbr"/> for everything from the first object with a lifetime on. The default. On a lossy
    /// path CUBIC concedes too little for objects that are to be in time; for bulk on clean paths it gets a few percent more than BBR, and it
    /// is what most of the Internet uses.
    /// </summary>
    Auto,

    /// <summary>CUBIC (RFC 9438). Each loss counts as congestion, so that little of a path is used that loses packets at random.</summary>
    Cubic,

    /// <summary>
    /// BBRv3 (draft-ietf-ccwg-bbr, experimental): goes by the rate at which the path delivers, keeps queues short, and slows down for losses only
    /// where they are more than some percent.
    /// </summary>
    Bbr,

    /// <summary>NewReno (RFC 9002 section 7), to compare with.</summary>
    NewReno,
}
