namespace Post.Quic.Engine.Congestion;

/// <summary>NewReno as RFC 9002 section 7.3 and appendix B define it.</summary>
internal sealed class NewRenoController : CongestionController
{
    private long _acknowledged;
    private long _savedWindow;
    private long _savedThreshold;

    public NewRenoController(int maxDatagramSize)
        : base(maxDatagramSize)
    {
    }

    public override string Name => "newreno";

    protected override void OnAckedCore(in AckSample sample)
    {
        if (sample.GrowthBytes == 0)
        {
            return;
        }

        long bytes = sample.GrowthBytes;
        if (InSlowStart)
        {
            // What reaches beyond the threshold counts for congestion avoidance.
            long step = Math.Min(bytes, SlowStartThreshold - Window);
            SetWindow(Window + step);
            bytes -= step;
        }

        // RFC 9002 section 7.3.3: one datagram more for each window acknowledged.
        _acknowledged += bytes;
        while (_acknowledged >= Window && bytes > 0)
        {
            _acknowledged -= Window;
            long before = Window;
            SetWindow(Window + MaxDatagramSize);
            if (Window == before)
            {
                _acknowledged = 0;
            }
        }
    }

    protected override void OnCongestionCore(long now, bool ecn)
    {
        // RFC 9002 section 7.3.2: half the window.
        SlowStartThreshold = Math.Max(Window / 2, MinimumWindow);
        SetWindow(SlowStartThreshold);
        _acknowledged = 0;
    }

    protected override void OnPersistentCongestionCore(long now) => _acknowledged = 0;

    protected override void SaveState() => (_savedWindow, _savedThreshold) = (Window, SlowStartThreshold);

    protected override void RestoreState()
    {
        SlowStartThreshold = Math.Max(SlowStartThreshold, _savedThreshold);
        SetWindow(Math.Max(Window, _savedWindow));
    }
}
