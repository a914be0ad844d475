namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>The constants of draft-ietf-ccwg-bbr, each with the section that gives it. Times are microseconds.</summary>
internal static class BbrConstants
{
    /// <summary>Section 2.5, BBR.StartupPacingGain: 4 ln 2, the least with which the rate doubles in a round trip.</summary>
    public const double StartupPacingGain = 2.77;

    /// <summary>Section 2.5, BBR.DrainPacingGain.</summary>
    public const double DrainPacingGain = 0.5;

    /// <summary>Section 5.3.3.1: the least with which flows converge on equal shares.</summary>
    public const double DownPacingGain = 0.9;

    /// <summary>Section 5.3.3.5.</summary>
    public const double UpPacingGain = 1.25;

    /// <summary>Section 2.5, BBR.PacingMarginPercent: one percent less than the bandwidth keeps queues short.</summary>
    public const double PacingMargin = 0.99;

    /// <summary>Section 2.6, BBR.DefaultCwndGain.</summary>
    public const double DefaultWindowGain = 2;

    /// <summary>Section 5.3.3.5.</summary>
    public const double UpWindowGain = 2.25;

    /// <summary>Section 2.16.2, BBR.ProbeRTTCwndGain.</summary>
    public const double ProbeRttWindowGain = 0.5;

    /// <summary>Section 2.8, BBR.LossThresh: the share of losses in a round trip that is still taken when more is tried.</summary>
    public const double LossThreshold = 0.02;

    /// <summary>Section 2.8, BBR.Beta: no round trip with losses takes away more than CUBIC would.</summary>
    public const double Beta = 0.7;

    /// <summary>Section 2.8, BBR.Headroom: the share that is left to others.</summary>
    public const double Headroom = 0.15;

    /// <summary>Section 2.8, BBR.MinPipeCwnd, in datagrams.</summary>
    public const int MinimumWindowPackets = 4;

    /// <summary>Section 2.12, BBR.ExtraAckedFilterLen, in round trips.</summary>
    public const int ExtraAckedRounds = 10;

    /// <summary>Section 5.3.1.2: the growth of the delivery rate that says that the path is not full.</summary>
    public const double FullPipeGrowth = 1.25;

    /// <summary>Section 5.3.1.2: round trips without that growth after which it is.</summary>
    public const int FullPipeRounds = 3;

    /// <summary>Section 5.3.1.3, BBRStartupFullLossCnt: runs of lost packets in a round trip that end Startup.</summary>
    public const int StartupLossRuns = 6;

    /// <summary>Section 5.3.2: round trips after which Drain ends whatever is in flight.</summary>
    public const int DrainRounds = 3;

    /// <summary>Section 5.3.3.8.2: the longest wait between two searches, in round trips, so that Reno and CUBIC get on.</summary>
    public const int RenoRounds = 63;

    /// <summary>Section 5.3.3.8.2: the shortest wait between two searches as time; a random part comes on top.</summary>
    public const long LeastProbeWait = 2_000_000;

    /// <summary>Section 5.3.3.8.2: the random part.</summary>
    public const long RandomProbeWait = 1_000_000;

    /// <summary>Section 5.3.3.9: doublings of the growth of inflight_longterm.</summary>
    public const int GrowthDoublings = 30;

    /// <summary>Section 2.16.1, BBR.MinRTTFilterLen.</summary>
    public const long MinimumRttWindow = 10_000_000;

    /// <summary>Section 2.16.2, BBR.ProbeRTTInterval: the same for all, so that flows that share a queue let it empty together.</summary>
    public const long ProbeRttInterval = 5_000_000;

    /// <summary>Section 2.16.2, BBR.ProbeRTTDuration.</summary>
    public const long ProbeRttDuration = 200_000;

    /// <summary>Section 5.6.3: what is sent in one go.</summary>
    public const long QuantumTime = 1_000;

    /// <summary>Section 5.6.3.</summary>
    public const long LargestQuantum = 64 * 1024;

    /// <summary>Section 5.6.3, in datagrams.</summary>
    public const int SmallestQuantumPackets = 2;

    /// <summary>Section 5.6.2: the round trip that is assumed before one was measured.</summary>
    public const long AssumedRtt = 1_000;
}
