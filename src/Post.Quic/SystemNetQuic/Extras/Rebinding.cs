using System.Net;
using System.Runtime.Versioning;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>Moves a client to another local address, and back again where nothing comes by the new one.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class Rebinding(ConnectionExtras extras, TimeProvider time)
{
    /// <summary>How long the new address may stay silent: three of msquic's initial probe timeouts.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>When to look first; msquic does not tell, so each look comes after twice the time of the one before.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2);

    /// <summary>How long where the answer may have come before anybody looked.</summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(200);

    /// <returns>The new address, with the port that the system chose.</returns>
    public async ValueTask<IPEndPoint> MoveAsync(IPEndPoint? wanted, CancellationToken cancellationToken)
    {
        IPEndPoint before = extras.GetLocalEndPoint() ?? throw Unusable(wanted);
        IPEndPoint target = wanted ?? new IPEndPoint(before.Address, 0);
        ulong atFirst = PacketsReceived();
        if (!extras.TrySetLocalEndPoint(target) || extras.GetLocalEndPoint() is not { } now)
        {
            throw Unusable(target);
        }

        // msquic sent a PING from the new address; the answer is the first packet that can come there. What came between these
        // two looks is the answer already, or came by the old address just before: where nothing follows it is taken for the
        // answer, since a connection on which nothing else is said has no other.
        ulong afterwards = PacketsReceived();
        bool mayHaveHeard = afterwards > atFirst;
        try
        {
            if (await HearsAsync(afterwards, mayHaveHeard ? ShortPatience : Patience, cancellationToken).ConfigureAwait(false)
                || mayHaveHeard)
            {
                return now;
            }
        }
        catch (OperationCanceledException)
        {
            extras.TrySetLocalEndPoint(before);
            throw;
        }

        extras.TrySetLocalEndPoint(before);
        throw new TransportException(
            TransportErrorReason.Unreachable,
            $"Nothing came from the peer by {target} within {Patience.TotalSeconds} seconds; the connection stays at {before}.");
    }

    private static TransportException Unusable(IPEndPoint? endPoint) => new(
        TransportErrorReason.LocalAddressUnavailable,
        $"The connection cannot move to {endPoint}: the address is not this machine's, or in use, or the handshake is not confirmed yet.");

    private ulong PacketsReceived() => extras.TryGetStatistics(out NativeStatistics statistics) ? statistics.ReceivedTotalPackets : 0;

    private async ValueTask<bool> HearsAsync(ulong known, TimeSpan patience, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        for (TimeSpan wait = FirstLook; time.GetElapsedTime(started) < patience; wait *= 2)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            if (PacketsReceived() > known)
            {
                return true;
            }
        }

        return false;
    }
}
