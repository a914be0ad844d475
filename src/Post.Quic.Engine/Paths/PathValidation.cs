using System.Runtime.CompilerServices;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// Asks the peer over one path for a sign of life (RFC 9000 section 8.2): random data goes out in PATH_CHALLENGE, and
/// again at growing intervals, until it comes back in PATH_RESPONSE or the time is up.
/// </summary>
internal struct PathValidation
{
    /// <summary>Challenges that can still be answered; each has its own data (RFC 9000 section 8.2.1).</summary>
    private const int MaxOutstanding = 4;

    private Slots _data;
    private int _sent;
    private int _expanded;
    private long _interval;
    private long _nextChallenge;
    private long _deadline;

    public PathValidationState State { get; private set; }

    /// <summary>The answered challenge filled a datagram of 1200 bytes, so that the path carries those too.</summary>
    public bool ProvedMtu { get; private set; }

    /// <summary>When something is to be done: another challenge, or giving up.</summary>
    public readonly long Deadline =>
        State == PathValidationState.Validating ? Math.Min(_nextChallenge, _deadline) : long.MaxValue;

    /// <summary>A challenge has gone out already.</summary>
    public readonly bool HasAsked => _sent != 0;

    /// <param name="interval">After so long the challenge goes again, then after twice as long, and so on.</param>
    /// <param name="duration">How long the peer has to answer (RFC 9000 section 8.2.4).</param>
    /// <param name="now">The current time.</param>
    public void Start(long interval, long duration, long now)
    {
        this = default;
        State = PathValidationState.Validating;
        _interval = interval;
        _nextChallenge = now;
        _deadline = now + duration;
    }

    public readonly bool WantsChallenge(long now) =>
        State == PathValidationState.Validating && now >= _nextChallenge && now < _deadline;

    /// <summary>A challenge goes out.</summary>
    /// <param name="data">Unpredictable, or an off-path attacker could answer (RFC 9000 section 8.2.1).</param>
    /// <param name="expanded">Its datagram has 1200 bytes.</param>
    /// <param name="now">The current time.</param>
    public void OnChallengeSent(ulong data, bool expanded, long now)
    {
        int slot = _sent++ % MaxOutstanding;
        _data[slot] = data;
        _expanded = expanded ? _expanded | (1 << slot) : _expanded & ~(1 << slot);
        _nextChallenge = now + _interval;
        _interval *= 2;
    }

    /// <summary>Nothing may be sent to the address now; the question is put later.</summary>
    public void Defer(long now) => _nextChallenge = now + _interval;

    /// <summary>True if the data answers a challenge of this path, by whatever path it came (section 8.2.3).</summary>
    public bool TryAnswer(ulong data)
    {
        if (State != PathValidationState.Validating)
        {
            return false;
        }

        for (int i = 0; i < Math.Min(_sent, MaxOutstanding); i++)
        {
            if (_data[i] == data)
            {
                State = PathValidationState.Succeeded;
                ProvedMtu = (_expanded & (1 << i)) != 0;
                return true;
            }
        }

        return false;
    }

    /// <summary>True once, when the path has not answered in time.</summary>
    public bool TryExpire(long now)
    {
        if (State != PathValidationState.Validating || now < _deadline)
        {
            return false;
        }

        State = PathValidationState.Failed;
        return true;
    }

    [InlineArray(MaxOutstanding)]
    private struct Slots
    {
        private ulong _element0;
    }
}
