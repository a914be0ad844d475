using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Moves bytes from what is scheduled to the connection that there is. <see cref="SendChoice"/> decides what is next; here it is handed
/// over. By the owner.
/// </summary>
internal sealed class SendPump
{
    private readonly AssociationState _state;
    private readonly CurrentConnection _connection;
    private readonly StreamWrites _writes;
    private readonly PacketSender _packets;
    private readonly SourceFeeder _sources;
    private readonly StreamSupply _supply;
    private readonly SendChoice _choice;

    public SendPump(AssociationState state, CurrentConnection connection)
    {
        _state = state;
        _connection = connection;
        var framing = new OutboundFraming(state, connection);
        _writes = new StreamWrites(state, connection, framing);
        _supply = new StreamSupply(state, connection);
        _packets = new PacketSender(state, framing, _supply);
        _sources = new SourceFeeder(state, _writes);
        _choice = new SendChoice(state, framing, _writes, _supply);
    }

    /// <summary>Fits the window to the measurements.</summary>
    public void Tune(bool returnsWhenSent, in TransportStatistics statistics)
    {
        _choice.Window = SendWindow.Bytes(returnsWhenSent, statistics.CongestionWindow);
        _writes.Chunk = SendWindow.Chunk(_choice.Window);
        _choice.Forecast = returnsWhenSent
            ? SendForecast.From(statistics.MaximumRate, statistics.CongestionWindow, statistics.BytesInFlight, _state.Clock)
            : default;
    }

    /// <summary>The connection is over: gives back what was kept ready on it.</summary>
    public void OnDetached() => _supply.ReleaseSpares();

    /// <summary>Sends until nothing can be sent.</summary>
    public void Run()
    {
        while (_connection.Value is { } connection)
        {
            switch (_choice.Decide(connection, out var item, out var stream))
            {
                case SendStep.None:
                    return;
                case SendStep.WriteStream:
                    _writes.Start(_writes.PrepareStream(stream!));
                    break;
                case SendStep.Ask:
                    _writes.Start(_writes.PrepareQuestion(item!));
                    break;
                case SendStep.Write:
                    _writes.Start(_writes.PrepareMemory(item!));
                    break;
                case SendStep.Open:
                    _supply.Open(connection, item!);
                    break;
                case SendStep.Feed:
                    _sources.Feed(item!);
                    break;
                case SendStep.Datagram:
                    _packets.SendDatagram(connection, item!);
                    break;
                case SendStep.WholeStream:
                    _packets.SendStream(connection, item!);
                    break;
            }
        }
    }
}
