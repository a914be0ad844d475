using System.Collections.Concurrent;
using Post.Quic.MsQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What msquic is told of a stream's rank, and when.</summary>
[TestClass]
public sealed class StreamRankingTests
{
    private readonly HandClock _time = new();
    private readonly BlockingCollection<ushort> _told = [];

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public async Task The_usual_rank_is_never_told()
    {
        StreamRanking ranking = Create();
        ranking.Set(Rank(5));
        ranking.Set(Rank(ObjectProperties.DefaultNiceness));

        await ranking.BeforeWriteAsync();
        await ranking.BeforeWriteAsync();

        Assert.IsEmpty(_told);
    }

    [TestMethod]
    public async Task The_last_rank_before_the_first_write_is_told_once_and_before_it()
    {
        StreamRanking ranking = Create();
        ranking.Set(TransportPriority.Control);
        ranking.Set(Rank(5));
        Assert.IsEmpty(_told);

        await ranking.BeforeWriteAsync();

        Assert.AreEqual(StreamRank.Of(Rank(5), _time), _told.Single());
        await ranking.BeforeWriteAsync();
        Assert.HasCount(1, _told);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_change_after_the_first_write_is_told_without_another()
    {
        StreamRanking ranking = Create();
        await ranking.BeforeWriteAsync();

        ranking.Set(Rank(3));

        Assert.AreEqual(StreamRank.Of(Rank(3), _time), _told.Take(TestContext.CancellationToken));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_that_was_ranked_long_ago_comes_to_rank_like_a_new_one_with_its_deadline()
    {
        long deadline = _time.GetTimestamp() + (20 * _time.TimestampFrequency);
        StreamRanking older = Create();
        older.Set(Rank(100, deadline));
        await older.BeforeWriteAsync();
        ushort atFirst = _told.Take(TestContext.CancellationToken);

        _time.Advance(TimeSpan.FromSeconds(19.5));
        ushort ofNewer = StreamRank.Of(Rank(100, deadline), _time);
        await older.BeforeWriteAsync();

        Assert.IsGreaterThan(atFirst, ofNewer);
        Assert.AreEqual(ofNewer, _told.Take(TestContext.CancellationToken));
    }

    private static TransportPriority Rank(int niceness, long deadline = TransportPriority.NoDeadline) => new(niceness, deadline, true, 0);

    private StreamRanking Create() => new(_told.Add, _time);

    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, (long)time.TotalMilliseconds);
    }
}
