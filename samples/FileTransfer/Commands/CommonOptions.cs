using System.CommandLine;
using FileTransfer.Reporting;
using Post.Quic;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>The options that all commands have, and what they make.</summary>
internal static class CommonOptions
{
    public static readonly Option<PostEngine> Engine = new("--engine")
    {
        Description = "Which QUIC: Auto, SystemNetQuic or Managed.",
        Recursive = true,
    };

    public static readonly Option<string?> MsQuic = new("--msquic")
    {
        Description = "The full path of libmsquic, where the system does not find it.",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "One JSON object a line, for programs.",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Engine);
        root.Add(MsQuic);
        root.Add(Json);
    }

    /// <summary>Bars where a person looks on, lines where not, JSON where asked for.</summary>
    public static IReporter CreateReporter(ParseResult parsed) => parsed.GetValue(Json)
        ? new JsonReporter(Console.Out)
        : Console.IsOutputRedirected || Console.IsErrorRedirected
            ? new PlainReporter(Console.Out, Console.Error)
            : new LiveReporter(Console.Out, Console.Error);

    /// <summary>Makes the transport and what stands on it.</summary>
    public static TransportHost CreateHost(ParseResult parsed)
    {
        var msQuic = parsed.GetValue(MsQuic);
        try
        {
            return new TransportHost(PostQuicTransport.Create(new PostQuicOptions
            {
                Engine = parsed.GetValue(Engine),
                MsQuicLibraryPath = msQuic is null ? null : Path.GetFullPath(msQuic),
            }));
        }
        catch (PlatformNotSupportedException exception)
        {
            throw new TransferException(
                ExitCode.LocalProblem, $"{exception.Message} Here these are the options --engine and --msquic.", exception);
        }
    }

    /// <summary>Runs a command: every failure becomes a message and a code, none a stack trace.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Func<IReporter, Task<ExitCode>> command)
    {
        var reporter = CreateReporter(parsed);
        try
        {
            return (int)await command(reporter);
        }
        catch (OperationCanceledException)
        {
            return (int)ExitCode.Canceled;
        }
        catch (TransferException exception)
        {
            reporter.Error(exception.Message, exception.Code);
            return (int)exception.Code;
        }
        catch (PostException exception)
        {
            reporter.Error(exception.Message, ExitCode.Interrupted);
            return (int)ExitCode.Interrupted;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reporter.Error(exception.Message, ExitCode.LocalProblem);
            return (int)ExitCode.LocalProblem;
        }
    }
}
