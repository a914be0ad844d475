namespace Post.Quic.Engine.Connection;

/// <summary>Which congestion controller the networks of a connection get.</summary>
internal enum CongestionAlgorithm : byte
{
    /// <summary><see cref="Cubic"/> until something with a deadline is to be sent, <see cref="Bbr"/> from then on.</summary>
    Auto,

    /// <summary>RFC 9438, with HyStart++.</summary>
    Cubic,

    /// <summary>RFC 9002 section 7.</summary>
    NewReno,

    /// <summary>draft-ietf-ccwg-bbr.</summary>
    Bbr,
}
