namespace Post.Quic.Engine.Diagnostics;

/// <summary>Where a congestion controller stands, in RFC 9002's words (section 7.3).</summary>
internal enum QlogCongestionState : byte
{
    SlowStart,
    Recovery,
    CongestionAvoidance,
}
