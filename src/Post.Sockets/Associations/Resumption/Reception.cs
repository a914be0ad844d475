using Post.Sockets.Associations.Connections;
using Post.Sockets.Diagnostics;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Resumption;

/// <summary>
/// Where connections arrive at a listener. Each waits here until its HELLO has said what it is for: a new association, which the
/// application is asked about, or one that it resumes, which the application has accepted long ago.
/// </summary>
internal sealed class Reception(AssociationFactory host, KnownAssociations known, Action<Carrier, HelloFrame> welcome) : IGreeter
{
    private readonly Lock _gate = new();
    private readonly HashSet<Carrier> _waiting = [];
    private bool _isClosed;

    /// <summary>A connection arrived.</summary>
    public void Receive(TransportConnection connection)
    {
        var carrier = new Carrier(host, connection, this);
        bool isFull;
        lock (_gate)
        {
            isFull = _isClosed || _waiting.Count >= ProtocolLimits.MaxConnectionsBeforeHello;
            if (!isFull)
            {
                _waiting.Add(carrier);
            }
        }

        if (isFull)
        {
            _ = carrier.CloseAsync(PostErrorCode.GoingAway, "too many connections wait here");
        }
        else
        {
            carrier.Start();
        }
    }

    /// <summary>Nobody is received any more.</summary>
    public void Close()
    {
        Carrier[] waiting;
        lock (_gate)
        {
            _isClosed = true;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var carrier in waiting)
        {
            _ = carrier.CloseAsync(PostErrorCode.GoingAway, "the listener is closed");
        }
    }

    void IGreeter.OnHello(Carrier carrier, HelloFrame hello)
    {
        if (hello.Resumption > 0)
        {
            _ = ResumeAsync(carrier, hello);
        }
        else if (Leave(carrier))
        {
            welcome(carrier, hello);
        }
    }

    void IGreeter.OnEnded(Carrier carrier, TransportException reason)
    {
        Leave(carrier);
        carrier.Core?.Continuity.OnConnectionEnded(carrier, reason);
    }

    void IGreeter.OnViolation(Carrier carrier, PostErrorCode code, string what)
    {
        Leave(carrier);
        if (carrier.Core is { } core)
        {
            core.Continuity.OnViolation(carrier, code, what);
        }
        else
        {
            _ = carrier.CloseAsync(code, what);
        }
    }

    private async Task ResumeAsync(Carrier carrier, HelloFrame hello)
    {
        try
        {
            // In early data it may be a replay, of somebody who is not there; and before the end of the handshake nobody has proved to be
            // whom the association belongs to.
            if (!carrier.IsHandshakeCompleted)
            {
                await carrier.WhenHandshakeAsync().ConfigureAwait(false);
            }

            Leave(carrier);

            // Whether the id is unknown or belongs to somebody else is not told apart: guessing learns nothing.
            var core = known.Find(hello.AssociationId);
            var error = core?.Continuity.TryResume(carrier, hello) ?? PostErrorCode.UnknownAssociation;
            if (error != PostErrorCode.NoError)
            {
                host.AssociationLog.ResumptionRefused(error, carrier.Connection.RemoteEndPoint);
                await carrier.CloseAsync(error, "the association cannot be resumed").ConfigureAwait(false);
                return;
            }

            await carrier.Control.OpenAsync(core!.Lifecycle.Hello(carrier), carrier.Over).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException)
        {
            // The connection ended; its event is on the way.
        }
        catch (Exception exception)
        {
            carrier.Fail(exception);
        }
    }

    private bool Leave(Carrier carrier)
    {
        lock (_gate)
        {
            return _waiting.Remove(carrier);
        }
    }
}
