using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Takes the connection's events, which may come under its locks: takes note and wakes the pump, nothing more. What concerns the
/// association counts only while this connection carries it.
/// </summary>
internal sealed class CarrierEvents(Carrier carrier) : TransportEvents
{
    /// <summary>Whose events these are.</summary>
    public Carrier Carrier => carrier;

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) =>
        carrier.OnDatagram(payload, isEarlyData, arrivedAt);

    public override void OnDatagramState(long token, TransportDatagramState state)
    {
        if (carrier.Core is not { } core)
        {
            return;
        }

        lock (core.Gate)
        {
            carrier.Datagrams.OnReport();
            if (core.Carrier == carrier)
            {
                core.Reports.OnDatagramState(token, state);
            }
        }

        core.Wake();
    }

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => carrier.MaxDatagramSize = maxDatagramSize;

    public override void OnStreamAcknowledged(TransportStream stream)
    {
        if (carrier.Core is not { } core)
        {
            return;
        }

        lock (core.Gate)
        {
            if (stream.State is OutboundObject item)
            {
                if (item.Transit.Stream == stream)
                {
                    core.Reports.OnTransportAcknowledged(item);
                }
            }
            else if (stream == carrier.Control.Stream && core.Carrier == carrier)
            {
                core.Lifecycle.OnControlStreamAcknowledged();
            }
        }

        core.Wake();
    }

    public override void OnStreamStopped(TransportStream stream, long errorCode)
    {
        if (carrier.Core is not { } core)
        {
            return;
        }

        lock (core.Gate)
        {
            if (stream.State is OutboundObject item && item.Transit.Stream == stream && !item.Transit.IsVoid)
            {
                core.Reports.OnStopped(item, (PostErrorCode)errorCode);
            }
        }

        core.Wake();
    }

    public override void OnPathChanged(PostPath path, PostPathChange change)
    {
        carrier.Paths.OnChanged(path, change);
        carrier.Core?.Keeper?.OnPath(carrier.Connection, path, change);
    }

    public override void OnHandshakeCompleted() => carrier.OnHandshakeCompleted();

    public override void OnEarlyDataRejected() => carrier.Core?.OnEarlyDataRejected(carrier);

    public override void OnClosed(TransportException reason) => carrier.OnEnded(reason);
}
