using System.Net;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Diagnostics;

namespace Post.Quic.Engine.Endpoint;

/// <summary>Tells in the log when so many handshakes are under way that clients are asked for more, or turned away.</summary>
internal sealed class HandshakeLoad(ILogger logger, EndPoint local)
{
    /// <summary>Microseconds between two words about clients that are turned away: a flood must not fill the log.</summary>
    private const long TurnedAwayInterval = 60_000_000;

    private int _mustProve;
    private long _nextTurnedAway = long.MinValue;

    /// <summary>A handshake began or ended.</summary>
    public void OnChanged(int handshakes, IncomingPolicy? policy)
    {
        if (policy is not { Retry: QuicRetryPolicy.UnderLoad })
        {
            return;
        }

        if (handshakes >= policy.RetryThreshold)
        {
            if (Volatile.Read(ref _mustProve) == 0 && Interlocked.Exchange(ref _mustProve, 1) == 0)
            {
                EngineLog.RetryModeEntered(logger, local, handshakes);
            }
        }
        else if (handshakes <= policy.RetryThreshold / 2 && Volatile.Read(ref _mustProve) != 0 && Interlocked.Exchange(ref _mustProve, 0) != 0)
        {
            // At half of the threshold, so that a load which wavers about it is told once.
            EngineLog.RetryModeLeft(logger, local);
        }
    }

    /// <summary>A client was dropped because of <see cref="IncomingPolicy.MaxHandshakes"/>.</summary>
    public void OnTurnedAway(int handshakes, long now)
    {
        long next = Volatile.Read(ref _nextTurnedAway);
        if (now >= next && Interlocked.CompareExchange(ref _nextTurnedAway, now + TurnedAwayInterval, next) == next)
        {
            EngineLog.ClientsTurnedAway(logger, local, handshakes);
        }
    }
}
