using System.Collections.Concurrent;
using Post.Quic.Engine;

namespace Post.Quic.Interop.Tests.Managed;

/// <summary>Keeps what a connection pushes, for a test to wait for.</summary>
internal sealed class ConnectionNotes : QuicConnectionEvents
{
    private readonly TaskCompletionSource<QuicSessionTicket> _ticket = New<QuicSessionTicket>();
    private readonly TaskCompletionSource<bool> _earlyData = New<bool>();
    private readonly ConcurrentQueue<(QuicPath Path, QuicPathChange Change)> _paths = [];

    /// <summary>The first ticket.</summary>
    public Task<QuicSessionTicket> Ticket => _ticket.Task;

    /// <summary>Whether early data was accepted.</summary>
    public Task<bool> EarlyData => _earlyData.Task;

    public IEnumerable<(QuicPath Path, QuicPathChange Change)> Paths => _paths;

    public override void OnSessionTicket(QuicSessionTicket ticket) => _ticket.TrySetResult(ticket);

    public override void OnEarlyDataDecided(bool accepted) => _earlyData.TrySetResult(accepted);

    public override void OnPathChanged(QuicPath path, QuicPathChange change) => _paths.Enqueue((path, change));

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
