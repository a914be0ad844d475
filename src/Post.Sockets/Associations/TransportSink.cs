using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>Takes the connection's events, which may come under its locks: takes note and wakes the pump, nothing more.</summary>
internal sealed class TransportSink(AssociationCore core) : TransportEvents
{
    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData)
    {
        core.Inbound.OnDatagram(payload, isEarlyData);
        core.Wake();
    }

    public override void OnDatagramState(long token, TransportDatagramState state)
    {
        lock (core.Gate)
        {
            core.Outbox.OnDatagramState(token, state);
            core.Sender.OnDatagramRoom();
        }

        core.Wake();
    }

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => core.MaxDatagramSize = maxDatagramSize;

    public override void OnStreamAcknowledged(TransportStream stream)
    {
        lock (core.Gate)
        {
            if (stream.State is OutboundObject item)
            {
                core.Outbox.OnTransportAcknowledged(item);
            }
            else if (stream == core.Control.Stream)
            {
                core.OnControlStreamAcknowledged();
            }
        }

        core.Wake();
    }

    public override void OnStreamStopped(TransportStream stream, long errorCode)
    {
        lock (core.Gate)
        {
            if (stream.State is OutboundObject item)
            {
                core.Outbox.OnStopped(item, (Protocol.PostErrorCode)errorCode);
            }
        }

        core.Wake();
    }

    public override void OnPathChanged(PostPath path, PathChange change) => core.OnPathChanged(path, change);

    public override void OnHandshakeCompleted() => core.OnHandshakeCompleted();

    public override void OnEarlyDataRejected() => core.OnEarlyDataRejected();

    public override void OnClosed(TransportException reason) => core.OnConnectionClosed(reason);
}
