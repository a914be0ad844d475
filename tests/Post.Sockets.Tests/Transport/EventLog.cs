using System.Globalization;
using System.Text;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Everything that a connection pushed, with the time.</summary>
internal sealed class EventLog(VirtualClock clock) : TransportEvents
{
    private readonly StringBuilder _text = new();

    public List<TransportStream> Acknowledged { get; } = [];

    public List<(TransportStream Stream, long Code)> Stopped { get; } = [];

    public List<byte[]> Datagrams { get; } = [];

    public List<(long Token, TransportDatagramState State)> DatagramStates { get; } = [];

    public List<(PostPath Path, PostPathChange Change)> Paths { get; } = [];

    public List<TransportException> Closed { get; } = [];

    public List<bool> EarlyDatagrams { get; } = [];

    public int Handshakes { get; private set; }

    public int Rejections { get; private set; }

    public string Text => _text.ToString();

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
        Datagrams.Add(payload.ToArray());
        EarlyDatagrams.Add(isEarlyData);
        Note($"datagram {Convert.ToHexString(payload)}");
    }

    public override void OnDatagramState(long token, TransportDatagramState state)
    {
        DatagramStates.Add((token, state));
        Note($"datagram {token} {state}");
    }

    public override void OnStreamAcknowledged(TransportStream stream)
    {
        Acknowledged.Add(stream);
        Note($"acknowledged {stream.Id}");
    }

    public override void OnStreamStopped(TransportStream stream, long errorCode)
    {
        Stopped.Add((stream, errorCode));
        Note($"stopped {stream.Id} {errorCode}");
    }

    public override void OnPathChanged(PostPath path, PostPathChange change)
    {
        Paths.Add((path, change));
        Note($"path {path.Id} {change} {path.State}");
    }

    public override void OnHandshakeCompleted()
    {
        Handshakes++;
        Note("handshake");
    }

    public override void OnEarlyDataRejected()
    {
        Rejections++;
        Note("early data rejected");
    }

    public override void OnClosed(TransportException reason)
    {
        Closed.Add(reason);
        Note($"closed {reason.Reason} {reason.ErrorCode}");
    }

    private void Note(string what) => _text.Append(CultureInfo.InvariantCulture, $"{clock.Elapsed} {what}\n");
}
