using Post.Sockets.Associations.Connections;
using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>Hands over objects that travel as datagrams. Part of the pump, and serial like it.</summary>
internal sealed class DatagramSender(AssociationCore core, OutboundFraming framing, Restarts restarts)
{
    /// <summary>Sends the datagram that the framing has prepared last.</summary>
    public void Send(Carrier carrier, OutboundObject item, int size)
    {
        // What leaves with less left than the way takes would arrive in vain, and keep back what would not.
        var deadline = item.IsPerishable ? item.ExpiresAt - core.Trips.OneWay : TransportPriority.NoDeadline;
        var priority = new TransportPriority(item.Entry.Class, deadline, false, item.Id);
        long reports;
        bool isFirst;
        lock (core.Gate)
        {
            // Before the call: its fate may be reported, and its receipt come, during it.
            reports = carrier.Datagrams.Reports;
            isFirst = !item.Transit.IsVisible;
            item.Transit.IsVisible = true;
            item.Transit.IsDatagram = true;
            item.Transit.DatagramReport = null;
            item.Transit.DatagramCharge = size;
            item.Transit.DatagramClass = item.Entry.Class;
            core.Scheduler.Class(item.Transit.DatagramClass).HandOver(size, item.Entry.Deadline);
        }

        var result = carrier.Connection.TrySendDatagram(framing.Datagram(size), priority with { IsRepair = !isFirst }, item.Id);
        lock (core.Gate)
        {
            if (result != TransportDatagramResult.Queued)
            {
                core.Outbox.ReleaseDatagram(item);
                item.Transit.IsVisible = !isFirst;
                carrier.Datagrams.IsFull |= result == TransportDatagramResult.Full && reports == carrier.Datagrams.Reports;
                item.Transit.IsDatagramRefused |= result is TransportDatagramResult.TooLarge or TransportDatagramResult.Unavailable;
            }
            else
            {
                if (isFirst)
                {
                    core.Outbox.OnTaken(item, item.Memory.Length);
                }

                item.Transit.IsEarly |= !carrier.IsHandshakeCompleted;
            }

            if (!restarts.LetGo(item))
            {
                return;
            }

            if (result != TransportDatagramResult.Queued)
            {
                core.Scheduler.Add(item.Entry);
                return;
            }

            core.Outbox.OnAllTaken(item);
            if (item.Transit.DatagramReport is { } report)
            {
                core.Reports.OnDatagramState(item.Id, report);
            }
        }
    }
}
