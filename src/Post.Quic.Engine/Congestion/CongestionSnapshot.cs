namespace Post.Quic.Engine.Congestion;

/// <summary>A congestion controller's state for statistics and qlog. Sizes are bytes.</summary>
internal readonly record struct CongestionSnapshot(
    string Algorithm,
    long Window,
    long? SlowStartThreshold,
    bool InSlowStart,
    bool InRecovery,
    long CongestionEvents,
    long PersistentCongestionEvents,
    long SpuriousCongestionEvents);
