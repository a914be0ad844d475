using System.Collections.Concurrent;
using FileTransfer;
using FileTransfer.Protocol;
using FileTransfer.Reporting;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>Keeps what was told for a test to look at.</summary>
internal sealed class RecordingReporter : IReporter
{
    private readonly ConcurrentQueue<string> _notes = new();

    public IEnumerable<string> Notes => _notes;

    public void Note(string text) => _notes.Enqueue(text);

    public void Detail(string text) => _notes.Enqueue(text);

    public void Log(string text) => _notes.Enqueue(text);

    public void Result(Summary summary)
    {
    }

    public void List(IEnumerable<FileEntry> entries)
    {
    }

    public void Planned(FileEntry entry)
    {
    }

    public void Failure(FailedFile failed) => _notes.Enqueue($"{failed.Path}: {failed.Reason}");

    public void Listening(ServerFacts server)
    {
    }

    public void Error(string text, ExitCode code)
    {
    }

    public Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work) => work();
}
