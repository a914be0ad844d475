using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// When to search for more bandwidth (draft-ietf-ccwg-bbr section 5.3.3.8): after some seconds, and where little is in flight after as
/// many round trips as Reno would need to win back what a loss costs it. Both partly at random, so that flows do not search together.
/// </summary>
internal struct ProbeWait
{
    private long _start;
    private long _wait;
    private long _rounds;

    /// <summary>PickProbeWait, at the beginning of a cycle.</summary>
    public void Begin(RandomSource random, long now)
    {
        _start = now;
        _rounds = random.NextBool() ? 1 : 0;
        _wait = BbrConstants.LeastProbeWait + (long)random.NextUInt64(BbrConstants.RandomProbeWait);
    }

    public void OnRound() => _rounds++;

    /// <summary>The conditions of IsTimeToProbeBW; the target is in datagrams.</summary>
    public readonly bool IsOver(long target, long now) =>
        now > _start + _wait || _rounds >= Math.Min(target, BbrConstants.RenoRounds);

    /// <summary>The machine stood still for so long.</summary>
    public void OnStall(long duration) => _start += duration;
}
