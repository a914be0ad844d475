using System.CommandLine;
using System.Diagnostics;
using FileTransfer.Client;
using FileTransfer.Reporting;
using Post.Sockets.Transport;

namespace FileTransfer.Commands;

/// <summary>
/// Goes on with a transfer when the connection is lost on the way, as by a server that is started anew: connects again, and only the
/// rest moves. What fails before anything was connected is told at once.
/// </summary>
internal sealed class Perseverance
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Option<int> _patience = new("--patience")
    {
        Description = "For how many seconds to look for a server that was lost on the way; 0: not at all.",
        DefaultValueFactory = _ => 60,
    };

    public Perseverance()
    {
        _patience.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
            {
                result.AddError("--patience is 0 or more seconds.");
            }
        });
    }

    public void AddTo(Command command) => command.Add(_patience);

    public async Task<Summary> RunAsync(
        ParseResult parsed,
        IReporter reporter,
        Func<Task<FileClient>> connect,
        Func<FileClient, TransferProgress, Task<Summary>> transfer,
        CancellationToken cancellationToken)
    {
        var patience = TimeSpan.FromSeconds(parsed.GetValue(_patience));
        var progress = new TransferProgress();
        var client = await connect();
        while (true)
        {
            try
            {
                await using (client)
                {
                    return await transfer(client, progress);
                }
            }
            catch (TransferException lost) when (lost.Code == ExitCode.Interrupted && patience > TimeSpan.Zero)
            {
                reporter.Note($"The connection was lost; looking for the server for {patience.TotalSeconds:0} seconds.");
                client = await ReconnectAsync(connect, lost, patience, cancellationToken);
                progress.Restart();
            }
        }
    }

    private static async Task<FileClient> ReconnectAsync(
        Func<Task<FileClient>> connect, TransferException lost, TimeSpan patience, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await Task.Delay(pause, cancellationToken);
            try
            {
                return await connect();
            }
            catch (TransferException failure) when (MayPass(failure) && watch.Elapsed < patience)
            {
                // It may be on its way up.
            }
            catch (TransferException failure) when (MayPass(failure))
            {
                throw lost;
            }
        }
    }

    // Another identity at the same place is no server of ours that comes back.
    private static bool MayPass(TransferException failure) =>
        failure.Code == ExitCode.NotConnected
        && failure.InnerException?.InnerException is not TransportException { Reason: TransportErrorReason.AuthenticationFailed or TransportErrorReason.IdentityRefused };
}
