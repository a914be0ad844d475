using Post.Quic.Engine.Congestion.Bbr;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Recovery;

namespace Post.Quic.Engine.Tests.Congestion.Bbr;

/// <summary>A flow of BBR over a modelled bottleneck, of which is known when it was in which state.</summary>
internal sealed class BbrFlow : IDisposable
{
    public const int Size = 1200;
    public const long Millisecond = 1_000;
    public const long Second = 1_000_000;

    private readonly List<(long At, BbrState State)> _history = [(0, BbrState.Startup)];

    /// <param name="megabits">Of the bottleneck, a second.</param>
    /// <param name="roundTrip">Milliseconds without a queue.</param>
    /// <param name="depth">Of the queue, in products of bandwidth and delay.</param>
    /// <param name="seed">Of what happens at random.</param>
    /// <param name="bottleneck">One that is shared; it keeps its rate and depth.</param>
    public BbrFlow(double megabits = 10, long roundTrip = 50, double depth = 1, int seed = 1, Bottleneck? bottleneck = null)
    {
        Controller = new BbrController(Size, new SeededRandomSource(seed));
        double rate = megabits * 125_000;
        bottleneck ??= new Bottleneck { Rate = rate, Queue = rate * roundTrip / 1_000 * depth };
        Link = new LinkModel(seed, Controller, Size, bottleneck)
        {
            RoundTrip = roundTrip * Millisecond,
            Observer = Observe,
        };
    }

    public BbrController Controller { get; }

    public BbrModel Model => Controller.Model;

    public LinkModel Link { get; }

    /// <summary>The states in their order, each with when it began.</summary>
    public IReadOnlyList<(long At, BbrState State)> History => _history;

    /// <summary>Called when a state begins.</summary>
    public Action<BbrState>? Entered { get; set; }

    /// <summary>Called after each step.</summary>
    public Action? Stepped { get; set; }

    public double BandwidthDelay => Link.Rate * Link.RoundTrip / 1e6;

    public void RunUntil(long end) => Link.RunUntil(end);

    /// <summary>Runs until a state begins; fails where it does not in time.</summary>
    public void RunUntil(BbrState state, long timeout = 30 * Second)
    {
        long end = Link.Now + timeout;
        while (Controller.State != state)
        {
            Assert.IsLessThan(end, Link.Now, $"{state} was not reached; {Controller.State} now");
            Link.RunUntil(Link.Now + Millisecond);
        }
    }

    /// <summary>Runs until a state is over; returns the next.</summary>
    public BbrState RunWhile(BbrState state, long timeout = 30 * Second)
    {
        Assert.AreEqual(state, Controller.State);
        long end = Link.Now + timeout;
        while (Controller.State == state)
        {
            Assert.IsLessThan(end, Link.Now, $"{state} did not end");
            Link.RunUntil(Link.Now + Millisecond);
        }

        return _history[_history.FindLastIndex(entry => entry.State == state) + 1].State;
    }

    /// <summary>The share of the bottleneck's bytes that arrived since <paramref name="start"/>, when so many had.</summary>
    public double Utilisation(long start = 0, ulong before = 0) =>
        (Link.BytesReceived - before) * 1e6 / (Link.Rate * (Link.Now - start));

    public void Dispose() => Link.Dispose();

    private void Observe(LinkModel link)
    {
        if (Controller.State != _history[^1].State)
        {
            _history.Add((link.Now, Controller.State));
            Entered?.Invoke(Controller.State);
        }

        Stepped?.Invoke();
    }
}
