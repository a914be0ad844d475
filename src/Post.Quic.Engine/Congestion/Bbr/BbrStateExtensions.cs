namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>What follows from a state alone (draft-ietf-ccwg-bbr section 5.6.1).</summary>
internal static class BbrStateExtensions
{
    /// <summary>IsInAProbeBWState.</summary>
    public static bool IsProbeBandwidth(this BbrState state) => state is >= BbrState.Down and <= BbrState.Up;

    /// <summary>IsProbingBW: more may be sent than the path has carried lately.</summary>
    public static bool IsAccelerating(this BbrState state) => state is BbrState.Startup or BbrState.Refill or BbrState.Up;

    /// <summary>How fast is sent, in terms of the bandwidth.</summary>
    public static double PacingGain(this BbrState state) => state switch
    {
        BbrState.Startup => BbrConstants.StartupPacingGain,
        BbrState.Drain => BbrConstants.DrainPacingGain,
        BbrState.Down => BbrConstants.DownPacingGain,
        BbrState.Up => BbrConstants.UpPacingGain,
        _ => 1,
    };

    /// <summary>How much may be in flight, in terms of bandwidth and round trip.</summary>
    public static double WindowGain(this BbrState state) => state switch
    {
        BbrState.Up => BbrConstants.UpWindowGain,
        BbrState.ProbeRtt => BbrConstants.ProbeRttWindowGain,
        _ => BbrConstants.DefaultWindowGain,
    };
}
