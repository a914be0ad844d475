using Post.Sockets.Associations.Connections;
using Post.Sockets.Objects;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Moves bytes from what is scheduled to the connection that there is. Only the association's pump runs it, so it is serial; decisions are
/// taken under the lock (<see cref="SendChoice"/>), and the transport and the sources of objects are called outside of it.
/// </summary>
internal sealed class SendPump
{
    private readonly AssociationCore _core;
    private readonly StreamWrites _writes;
    private readonly DatagramSender _datagrams;
    private readonly SourceFeeder _sources;
    private readonly SendChoice _choice;

    public SendPump(AssociationCore core)
    {
        _core = core;
        var framing = new OutboundFraming(core);
        Restarts = new Restarts(core);
        _writes = new StreamWrites(core, framing, Restarts);
        _datagrams = new DatagramSender(core, framing, Restarts);
        _sources = new SourceFeeder(core, _writes, Restarts);
        _choice = new SendChoice(core, framing, _writes);
    }

    /// <summary>How objects begin anew.</summary>
    public Restarts Restarts { get; }

    /// <summary>Fits the window to the measurements; under the lock.</summary>
    public void Tune(TransportCapabilities capabilities, in TransportStatistics statistics)
    {
        _choice.Window = SendWindow.Bytes(capabilities, statistics);
        _writes.Chunk = SendWindow.Chunk(_choice.Window);
        _choice.Forecast = SendForecast.From(capabilities, statistics, _core.Clock);
    }

    /// <summary>Sends until nothing can be sent.</summary>
    public void Run()
    {
        _writes.FinishCompleted();
        while (true)
        {
            var step = SendStep.None;
            Carrier? carrier;
            StreamWrite? write = null;
            OutboundObject? item = null;
            var size = 0;
            lock (_core.Gate)
            {
                carrier = _core.Carrier;
                if (carrier is not null)
                {
                    step = _choice.Decide(carrier, out item, out write, out size);
                }
            }

            switch (step)
            {
                case SendStep.None:
                    return;
                case SendStep.Write:
                    _writes.Start(write!);
                    break;
                case SendStep.Open:
                    carrier!.Supply.Open(item!);
                    break;
                case SendStep.Feed:
                    _sources.Feed(item!);
                    break;
                case SendStep.Datagram:
                    _datagrams.Send(carrier!, item!, size);
                    break;
            }
        }
    }
}
