using FileTransfer.Protocol;

namespace FileTransfer.Reporting;

/// <summary>Tells people, or programs, what happens. Results go to standard output, everything else to standard error.</summary>
internal interface IReporter
{
    /// <summary>Something worth knowing.</summary>
    void Note(string text);

    /// <summary>Something for those who asked for details.</summary>
    void Detail(string text);

    /// <summary>A line of a server's log.</summary>
    void Log(string text);

    /// <summary>A result: lines for people, one object for programs.</summary>
    void Result(Summary summary);

    /// <summary>What is listed.</summary>
    void List(IEnumerable<FileEntry> entries);

    /// <summary>Something that would be transferred.</summary>
    void Planned(FileEntry entry);

    /// <summary>Something that is not transferred, or not listed.</summary>
    void Failure(FailedFile failed);

    /// <summary>Where a server listens, and what to do on the other side.</summary>
    void Listening(ServerFacts server);

    /// <summary>What went wrong.</summary>
    void Error(string text, ExitCode code);

    /// <summary>Shows progress while a task runs.</summary>
    Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work);
}
