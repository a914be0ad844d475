using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Takes the connection's events to the owner of the association that it carries, which they concern for as long as the connection carries it.
/// What they lead to is done once for all that came at one time.
/// </summary>
internal sealed class ConnectionEvents(PostConnection connection) : TransportEvents
{
    private volatile bool _drains;

    /// <summary>Whose events these are.</summary>
    public PostConnection Connection => connection;

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
        connection.OnDatagram(payload, isEarlyData, arrivedAt);
        RunUnlessDrained();
    }

    public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
    {
        var isTaken = connection.Objects.TryTakeStream(bytes, isEarlyData, arrivedAt);
        RunUnlessDrained();
        return isTaken;
    }

    public override void OnStreamAccepted(TransportStream stream) => connection.Inbound.OnAccepted(stream);

    public override void OnStreamSent(long token) => Post(token, static (connection, token) =>
    {
        connection.Capacity.IsFullOfStreams = false;
        connection.State.Outbox.Reports.OnStreamSent(token);
    });

    public override void OnSentStreamAcknowledged(long token) => Post(token, static (connection, token) =>
    {
        connection.Capacity.IsFullOfStreams = false;
        connection.State.Outbox.Reports.OnStreamAcknowledged(token);
    });

    public override void OnSentStreamStopped(long token, long errorCode) => Post(
        new Message(
            static (target, code, token) =>
            {
                if (target is PostConnection { IsCurrent: true } connection)
                {
                    connection.Capacity.IsFullOfStreams = false;
                    connection.State.Outbox.Reports.OnStreamStopped(token, (PostErrorCode)code!);
                }
            },
            connection,
            (PostErrorCode)errorCode,
            token));

    public override void OnDatagramState(long token, TransportDatagramState state)
    {
        switch (state)
        {
            case TransportDatagramState.Sent:
                Post(token, static (connection, token) => Report(connection, token, DatagramReport.Sent));
                break;
            case TransportDatagramState.Overdue:
                Post(token, static (connection, token) => Report(connection, token, DatagramReport.Overdue));
                break;
            case TransportDatagramState.Acknowledged:
                Post(token, static (connection, token) => Report(connection, token, DatagramReport.Acknowledged));
                break;
            case TransportDatagramState.Lost:
                Post(token, static (connection, token) => Report(connection, token, DatagramReport.Lost));
                break;
            default:
                Post(token, static (connection, token) => Report(connection, token, DatagramReport.Canceled));
                break;
        }
    }

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => connection.MaxDatagramSize = maxDatagramSize;

    public override void OnStreamAcknowledged(TransportStream stream) => Post(new Message(
        static (target, argument, _) =>
        {
            var connection = (PostConnection)target;
            var stream = (TransportStream)argument!;
            if (stream.State is OutboundObject item)
            {
                if (item.Transmission.Stream == stream)
                {
                    connection.State.Outbox.Reports.OnTransportAcknowledged(item);
                }
            }
            else if (stream == connection.Control.Stream && connection.IsCurrent)
            {
                connection.User!.OnControlStreamAcknowledged();
            }
        },
        connection,
        stream));

    public override void OnStreamStopped(TransportStream stream, long errorCode) => Post(new Message(
        static (target, argument, code) =>
        {
            var stream = (TransportStream)argument!;
            if (stream.State is OutboundObject { Transmission.IsVoid: false } item && item.Transmission.Stream == stream)
            {
                ((PostConnection)target).State.Outbox.Reports.OnStopped(item, (PostErrorCode)code);
            }
        },
        connection,
        stream,
        errorCode));

    public override void OnPathChanged(PostPath path, PostPathChange change)
    {
        path = connection.Describe(path);
        connection.Paths.OnChanged(path, change);
        connection.User?.OnPathChanged(connection, path, change);
    }

    public override void OnHandshakeCompleted()
    {
        connection.OnHandshakeCompleted();
        RunUnlessDrained();
    }

    public override void OnEarlyDataRejected() => Post(new Message(
        static (target, _, _) => ((PostConnection)target).User!.OnEarlyDataRejected((PostConnection)target), connection));

    public override void OnClosed(TransportException reason) => connection.OnEnded(reason);

    public override void OnEventsDrained()
    {
        _drains = true;
        connection.User?.State.Owner.RunNow();
    }

    private static void Report(PostConnection connection, long token, DatagramReport report)
    {
        connection.Capacity.IsFullOfDatagrams = false;
        connection.State.Outbox.Reports.OnDatagram(token, report);
    }

    private void Post(long token, Action<PostConnection, long> apply) => Post(new Message(
        static (target, apply, token) =>
        {
            if (target is PostConnection { IsCurrent: true } connection)
            {
                ((Action<PostConnection, long>)apply!)(connection, token);
            }
        },
        connection,
        apply,
        token));

    private void Post(in Message message)
    {
        if (connection.User is { } user)
        {
            user.State.Owner.PostQuietly(message);
            RunUnlessDrained();
        }
    }

    /// <summary>A transport that does not say when its events are through may hold a lock as well: what they lead to is done apart from it.</summary>
    private void RunUnlessDrained()
    {
        if (!_drains)
        {
            connection.User?.State.Owner.Wake();
        }
    }
}
