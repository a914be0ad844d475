using System.Net;
using System.Runtime.Versioning;
using Post.Quic.MsQuic.Linux;
using Post.Quic.MsQuic.Native;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>Moves a client to another local address, and back again where nothing comes by the new one.</summary>
/// <remarks>
/// msquic closes the old socket while packets that came by it may still wait for the connection. It then takes them for packets of
/// another path, and answers through the socket that it has freed: the connection falls silent, or the whole process aborts (up to
/// 2.5.9 at least; microsoft/msquic, pull request 5785, shows the stacks). So before each change the old socket is kept from
/// receiving, and msquic gets the time to read what it had received.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class Rebinding(ConnectionExtras extras, IPEndPoint remote, TimeProvider time)
{
    /// <summary>How long the new address may stay silent: three of msquic's initial probe timeouts.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>How long msquic may take to read what it had received: it is busy with other connections, if with anything.</summary>
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(3);

    /// <summary>When to look first; msquic does not tell, so each look comes after twice the time of the one before.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2);

    /// <returns>The new address, with the port that the system chose.</returns>
    public async ValueTask<IPEndPoint> MoveAsync(IPEndPoint? wanted, CancellationToken cancellationToken)
    {
        IPEndPoint before = extras.GetLocalEndPoint() ?? throw Unusable(wanted);
        IPEndPoint target = wanted ?? new IPEndPoint(before.Address, 0);
        ulong heard = await RebindAsync(before, target, cancellationToken).ConfigureAwait(false) ?? throw Unusable(target);
        IPEndPoint now = extras.GetLocalEndPoint() ?? target;
        bool answers = false;
        try
        {
            // msquic sent a PING from the new address, and nothing comes by the old one any more: the next packet is the answer.
            answers = await ChangesAsync(() => PacketsReceived() > heard, Patience, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!answers)
            {
                await RebindAsync(now, before, CancellationToken.None).ConfigureAwait(false);
            }
        }

        return answers
            ? now
            : throw new TransportException(
                TransportErrorReason.Unreachable,
                $"Nothing came from the peer by {target} within {Patience.TotalSeconds} seconds; the connection stays at {before}.");
    }

    private static TransportException Unusable(IPEndPoint? endPoint) => new(
        TransportErrorReason.LocalAddressUnavailable,
        $"The connection cannot move to {endPoint}: the address is not this machine's, or in use, or the handshake is not confirmed yet.");

    /// <returns>How many packets had come by then; null where the address cannot be used, and all is as before.</returns>
    private async ValueTask<ulong?> RebindAsync(IPEndPoint from, IPEndPoint to, CancellationToken cancellationToken)
    {
        if (!InboundBlock.TryPlace(from, remote, out InboundBlock? block))
        {
            return null;
        }

        using (block)
        {
            // The answer to a question comes from the worker that reads the socket, after what it had read. So two that are alike,
            // both asked when the socket was empty, say that nothing waits for the connection.
            ulong? last = null;
            ulong heard = 0;
            bool isDrained = await ChangesAsync(
                () =>
                {
                    bool isEmpty = block.IsDrained;
                    heard = PacketsReceived();
                    bool isSettled = isEmpty && heard == last;
                    last = isEmpty ? heard : null;
                    return isSettled;
                },
                DrainPatience,
                cancellationToken).ConfigureAwait(false);
            if (isDrained && extras.TrySetLocalEndPoint(to))
            {
                return heard;
            }

            // msquic notes the new address before it tries it, and keeps the note where it fails. Asked for the old one it fails again,
            // since it has that in use, and so notes what is true.
            if (isDrained)
            {
                extras.TrySetLocalEndPoint(from);
            }

            return null;
        }
    }

    private ulong PacketsReceived() => extras.TryGetStatistics(out NativeStatistics statistics) ? statistics.ReceivedTotalPackets : 0;

    private async ValueTask<bool> ChangesAsync(Func<bool> look, TimeSpan patience, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        for (TimeSpan wait = FirstLook; time.GetElapsedTime(started) < patience; wait *= 2)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            if (look())
            {
                return true;
            }
        }

        return false;
    }
}
