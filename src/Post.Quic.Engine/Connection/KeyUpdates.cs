using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>When the 1-RTT keys change (RFC 9001 section 6): by our wish, by the peer's, or because they are worn.</summary>
internal sealed class KeyUpdates
{
    /// <summary>RFC 9001 section 6.5: late packets of before the update are read for three probe timeouts.</summary>
    private const int RetentionPeriods = 3;

    private readonly ConnectionState _state;
    private ulong _counted;

    public KeyUpdates(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>False before the handshake is confirmed, and while the last update is not settled.</summary>
    public bool TryUpdate(long now)
    {
        // RFC 9001 section 6.1: not before the handshake is confirmed.
        if (!_state.IsHandshakeConfirmed || _state.IsOver || _state.Keys.Application is not { } keys || !keys.TryInitiateUpdate())
        {
            return false;
        }

        Count(keys.SendGeneration, now);
        return true;
    }

    /// <summary>Before packets are built: updates keys in time (RFC 9001 section 6.6), or closes while it still can.</summary>
    public void BeforeSending(long now)
    {
        ApplicationKeys keys = _state.Keys.Application!;
        if (keys.NeedsUpdate || keys.PacketsProtected >= _state.Settings.KeyUpdateInterval)
        {
            _ = TryUpdate(now);
        }

        if (keys.IsConfidentialityLimitNear)
        {
            _state.Lifecycle.Fail(new TransportError(TransportErrorCode.AeadLimitReached, "keys are used up"), now);
        }
    }

    public void OnUpdatedByPeer(long now)
    {
        _state.Timers.Set(TimerId.KeyDiscard, now + (RetentionPeriods * _state.Paths.ProbeTimeoutPeriod));
        Count(_state.Keys.Application!.ReceiveGeneration, now);
    }

    private void Count(ulong generation, long now)
    {
        // One update changes both directions, one after the other.
        if (generation > _counted)
        {
            _counted = generation;
            _state.Counters.KeyUpdates++;
        }

        _state.Trace?.KeysChanged(now, EncryptionLevel.Application, discarded: false, (uint)generation);
    }
}
