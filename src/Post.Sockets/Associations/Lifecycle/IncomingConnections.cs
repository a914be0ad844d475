using Post.Sockets.Associations.Connections;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// Where connections arrive at a listener. Each waits here until its HELLO has said what it is for: a new association, which the
/// application is asked about, or one that it resumes, which the application has accepted long ago.
/// </summary>
internal sealed class IncomingConnections(
    AssociationFactory factory, AssociationRegistry registry, Action<PostConnection, HelloFrame> welcome) : IHelloHandler
{
    private readonly Lock _gate = new();
    private readonly HashSet<PostConnection> _waiting = [];
    private bool _isClosed;

    /// <summary>A connection arrived.</summary>
    public void Receive(TransportConnection connection)
    {
        var incoming = new PostConnection(factory, connection, this);
        bool isFull;
        lock (_gate)
        {
            isFull = _isClosed || _waiting.Count >= ProtocolLimits.MaxConnectionsBeforeHello;
            if (!isFull)
            {
                _waiting.Add(incoming);
            }
        }

        if (isFull)
        {
            _ = incoming.CloseAsync(PostErrorCode.GoingAway, "too many connections wait here");
        }
        else
        {
            incoming.Start();
        }
    }

    /// <summary>Nobody is received any more.</summary>
    public void Close()
    {
        PostConnection[] waiting;
        lock (_gate)
        {
            _isClosed = true;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var connection in waiting)
        {
            _ = connection.CloseAsync(PostErrorCode.GoingAway, "the listener is closed");
        }
    }

    public void OnHello(PostConnection connection, HelloFrame hello)
    {
        if (hello.Resumption > 0)
        {
            _ = ResumeAsync(connection, hello);
        }
        else if (Leave(connection))
        {
            welcome(connection, hello);
        }
    }

    public void OnEnded(PostConnection connection, TransportException reason)
    {
        Leave(connection);
        connection.User?.HelloHandler.OnEnded(connection, reason);
    }

    public void OnViolation(PostConnection connection, PostErrorCode code, string what)
    {
        Leave(connection);
        if (connection.User is { } user)
        {
            user.HelloHandler.OnViolation(connection, code, what);
        }
        else
        {
            _ = connection.CloseAsync(code, what);
        }
    }

    private async Task ResumeAsync(PostConnection connection, HelloFrame hello)
    {
        try
        {
            // In early data it may be a replay, of somebody who is not there; and before the end of the handshake nobody has proved to be
            // whom the association belongs to.
            if (!connection.IsHandshakeCompleted)
            {
                await connection.WhenHandshakeAsync().ConfigureAwait(false);
            }

            Leave(connection);

            // Whether the id is unknown or belongs to somebody else is not told apart: guessing learns nothing.
            var resumption = registry.Find(hello.AssociationId);
            var error = resumption is null
                ? PostErrorCode.UnknownAssociation
                : await resumption.TryResumeAsync(connection, hello).ConfigureAwait(false);
            if (error != PostErrorCode.NoError)
            {
                factory.AssociationLog.ResumptionRefused(error, connection.Transport.RemoteEndPoint);
                await connection.CloseAsync(error, "the association cannot be resumed").ConfigureAwait(false);
                return;
            }

            await connection.Control.OpenAsync(resumption!.Hello(connection), connection.Over).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection ended; its event is on the way.
        }
        catch (Exception exception)
        {
            connection.Fail(exception);
        }
    }

    private bool Leave(PostConnection connection)
    {
        lock (_gate)
        {
            return _waiting.Remove(connection);
        }
    }
}
