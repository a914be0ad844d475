namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>What a connection told of its paths, in the order in which it did.</summary>
internal sealed class PathLog : QuicConnectionEvents
{
    private readonly Lock _gate = new();
    private readonly List<(QuicPath Path, QuicPathChange Change)> _events = [];

    public IReadOnlyList<(QuicPath Path, QuicPathChange Change)> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>What happened to one path, without what its measurements changed.</summary>
    public IReadOnlyList<QuicPathChange> LifeOf(long pathId) =>
    [
        .. Events.Where(one => one.Path.PathId == pathId && one.Change is not (QuicPathChange.MtuChanged or QuicPathChange.EcnChanged or QuicPathChange.StandingChanged))
            .Select(one => one.Change),
    ];

    public override void OnPathChanged(QuicPath path, QuicPathChange change)
    {
        lock (_gate)
        {
            _events.Add((path, change));
        }
    }
}
