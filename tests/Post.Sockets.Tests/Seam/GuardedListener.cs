using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

internal sealed class GuardedListener(TransportListener inner, SeamGuard guard) : TransportListener
{
    public override IReadOnlyList<EndPoint> LocalEndPoints
    {
        get
        {
            guard.Check("Listener.LocalEndPoints");
            return inner.LocalEndPoints;
        }
    }

    public override async ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        guard.Check("Listener.AcceptAsync");
        var connection = await inner.AcceptAsync(cancellationToken).ConfigureAwait(false);
        return connection is null ? null : new GuardedConnection(connection, guard);
    }

    public override ValueTask DisposeAsync()
    {
        guard.Check("Listener.DisposeAsync");
        return inner.DisposeAsync();
    }
}
