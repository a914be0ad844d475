using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>Hands over objects that fit into one packet, each in one call: as a datagram, or as a whole stream. By the owner.</summary>
internal sealed class PacketSender(AssociationState state, OutboundFraming framing, StreamSupply supply)
{
    /// <summary>Sends an object as the datagram that the framing has measured last.</summary>
    public void SendDatagram(PostConnection connection, OutboundObject item)
    {
        // What leaves with less left than the way takes would arrive in vain, and keep back what would not.
        var deadline = item.IsPerishable ? item.ExpiresAt - state.Trips.OneWay : TransportPriority.NoDeadline;
        var bytes = framing.DatagramOf(item);
        switch (connection.Transport.TrySendDatagram(bytes, SendPriorities.OfWhole(item) with { Deadline = deadline, IsRepair = item.Transmission.IsVisible }, item.Id))
        {
            case TransportDatagramResult.Queued:
                OnQueued(connection, item, TransmissionForm.Datagram, bytes.Length);
                break;
            case TransportDatagramResult.Full:
                connection.Capacity.IsFullOfDatagrams = true;
                break;
            default:
                item.Transmission.IsDatagramRefused = true;
                break;
        }
    }

    /// <summary>Sends an object as a stream that the transport opens, writes and ends in one call.</summary>
    public void SendStream(PostConnection connection, OutboundObject item)
    {
        var header = framing.WriteHeader(item);
        switch (connection.Transport.TrySendStream(header, item.Memory.Span, SendPriorities.OfWhole(item), item.Id))
        {
            case TransportSendResult.Queued:
                item.Transmission.HeaderLength = header.Length;
                OnQueued(connection, item, TransmissionForm.WholeStream, header.Length + item.Memory.Length);
                break;
            case TransportSendResult.Full:
                connection.Capacity.IsFullOfStreams = true;
                break;
            case TransportSendResult.NoStreams when supply.TryBeTold(connection):
                // The objects that are under way end soon, and with them their streams.
                connection.Capacity.IsFullOfStreams = true;
                break;
            default:
                // Too large for that, or a stream is at hand: the way of the others has the patience.
                item.Transmission.IsWholeRefused = true;
                break;
        }
    }

    private void OnQueued(PostConnection connection, OutboundObject item, TransmissionForm form, int size)
    {
        var isFirst = !item.Transmission.IsVisible;
        state.Outbox.ReleaseCharge(item);
        item.Transmission.Form = form;
        item.Transmission.IsVisible = true;
        item.Transmission.IsEarly |= !connection.IsHandshakeCompleted;
        item.Transmission.Charge = size;
        item.Transmission.ChargedClass = item.Entry.Class;
        state.Scheduler.Serve(item.Entry, size);
        state.Scheduler.Class(item.Transmission.ChargedClass).HandOver(size, item.Entry.Deadline);
        if (isFirst)
        {
            state.Outbox.OnTaken(item, item.Memory.Length);
        }

        state.Outbox.OnAllTaken(item);
    }
}
