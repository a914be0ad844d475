namespace Post.Quic.Engine.Connection;

/// <summary>Which congestion controller paths get.</summary>
internal enum CongestionAlgorithm : byte
{
    /// <summary>RFC 9438, with HyStart++.</summary>
    Cubic,

    /// <summary>RFC 9002 section 7.</summary>
    NewReno,
}
